from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qsl

import pytest

from tasks.systems.magento.search import (
    Filter,
    Search,
    encode_query,
    encode_segment,
    key_after,
    lists_of,
    timestamp,
)


def test_filters_of_a_group_are_alternatives_and_groups_must_all_hold():
    search = Search(50).where(Filter("state", "eq", "new")).where(Filter("a", "gt", 1), Filter("b", "gt", 2))
    pairs = dict(parse_qsl(search.ascending("updated_at", "entity_id").query()))
    start = "searchCriteria[filterGroups]"
    assert pairs == {
        f"{start}[0][filters][0][field]": "state",
        f"{start}[0][filters][0][value]": "new",
        f"{start}[0][filters][0][conditionType]": "eq",
        f"{start}[1][filters][0][field]": "a",
        f"{start}[1][filters][0][value]": "1",
        f"{start}[1][filters][0][conditionType]": "gt",
        f"{start}[1][filters][1][field]": "b",
        f"{start}[1][filters][1][value]": "2",
        f"{start}[1][filters][1][conditionType]": "gt",
        "searchCriteria[sortOrders][0][field]": "updated_at",
        "searchCriteria[sortOrders][0][direction]": "ASC",
        "searchCriteria[sortOrders][1][field]": "entity_id",
        "searchCriteria[sortOrders][1][direction]": "ASC",
        "searchCriteria[pageSize]": "50",
        "searchCriteria[currentPage]": "1",
    }


def test_an_index_of_ten_is_refused_because_magento_would_refuse_its_signature():
    ten = Search(50)
    for number in range(10):
        ten.where(Filter("entity_id", "gt", number))
    assert "%5B9%5D" in ten.query()
    with pytest.raises(ValueError, match="signature"):
        ten.where(Filter("entity_id", "gt", 10)).query()
    with pytest.raises(ValueError, match="signature"):
        Search(50).where(*[Filter("sku", "eq", str(number)) for number in range(11)]).query()
    with pytest.raises(ValueError, match="signature"):
        Search(50).ascending(*"abcdefghijk").query()


def test_a_page_size_of_zero_would_load_the_whole_table_and_is_refused():
    with pytest.raises(ValueError, match="whole table"):
        Search(0).query()


def test_a_name_may_not_stand_twice_in_a_query():
    with pytest.raises(ValueError, match="twice"):
        encode_query([("skus[]", "A"), ("skus[]", "B")])


@pytest.mark.parametrize(
    ("sku", "segment"),
    [
        ("AB/12-CD", "AB%2F12-CD"),
        ("50%OFF-1", "50%25OFF-1"),
        ("%2F-enc", "%252F-enc"),
        ("A+B&C#1", "A%2BB%26C%231"),
        ("Q?uery=1", "Q%3Fuery%3D1"),
        ("../up", "..%2Fup"),
        ("SKU WITH SPACE", "SKU%20WITH%20SPACE"),
        ("ÉTÉ-ß-1", "%C3%89T%C3%89-%C3%9F-1"),
        ("tab\tin", "tab%09in"),
        ("back\\slash", "back%5Cslash"),
        ("dot.name.", "dot.name."),
        ("000123", "000123"),
    ],
)
def test_a_sku_in_an_address_is_encoded_once_and_whole(sku, segment):
    assert encode_segment(sku) == segment


@pytest.mark.parametrize("sku", ["", " ", ".", ".."])
def test_a_sku_that_no_address_can_carry_is_refused(sku):
    with pytest.raises(ValueError, match="address"):
        encode_segment(sku)


def test_a_sku_with_a_comma_gets_a_filter_of_its_own():
    filters = list(lists_of(["A", "comma,semi;1", "B", "A"], column="sku", longest=10))
    assert filters == [(Filter("sku", "eq", "comma,semi;1"), 1), (Filter("sku", "in", "A,B"), 2)]


def test_lists_are_cut_by_number_and_by_length():
    assert [count for _, count in lists_of([str(n) for n in range(25)], column="sku", longest=10)] == [10, 10, 5]
    long = ["日" * 60 + str(n) for n in range(20)]
    filters = list(lists_of(long, column="sku", longest=100))
    assert sum(count for _, count in filters) == 20
    assert all(len(Search(1).where(each).query()) < 5_000 for each, _ in filters)


def test_after_a_pair_means_later_or_the_same_second_with_a_higher_id():
    moment = datetime(2026, 11, 23, 3, 3, 56, tzinfo=UTC)
    assert key_after(("updated_at", "entity_id"), (moment, 5)) == [
        (Filter("updated_at", "gteq", moment),),
        (Filter("updated_at", "gt", moment), Filter("entity_id", "gt", 5)),
    ]


def test_instants_are_sent_in_utc_because_magento_ignores_an_offset():
    summer = timezone(timedelta(hours=1))
    assert timestamp(datetime(2026, 6, 1, 0, 30, tzinfo=summer)) == "2026-05-31 23:30:00"
    with pytest.raises(ValueError, match="time zone"):
        timestamp(datetime(2026, 6, 1, 0, 30))  # noqa: DTZ001
