"""Questions to PRIMA: the state of an order, and what is available to sell."""

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.prima import Item, PrimaStandIn
from schemas.documents import StockTuple
from tasks.errors import (
    CallRefusedError,
    ConfigurationError,
    OutcomeUnknownError,
    SystemUnavailableError,
    UnexpectedResponseError,
)
from tasks.settings import Secrets
from tasks.systems.prima import PrimaClient
from tests.systems.prima.builders import BOOT, WAX, an_order, prima_settings
from tests.systems.prima.conftest import ClientFor


def test_the_state_of_an_order_is_told_in_primas_word_and_ours(prima: PrimaStandIn, client: PrimaClient) -> None:
    client.send_order(client.prepare_order(an_order()))
    prima.dispatch("30000042", {1: 1})
    state = client.order_status("30000042")
    assert state is not None
    assert state.status == "part_dispatched"
    assert state.attributes["OrderStatus"] == state.status_text
    assert state.status_text in state.answer


def test_a_status_word_that_no_setting_maps_is_kept_and_not_guessed(prima: PrimaStandIn) -> None:
    with PrimaClient(
        prima_settings(wsdl_url=prima.wsdl_url), Secrets(), statuses={"Despatched": "dispatched"}
    ) as client:
        client.send_order(client.prepare_order(an_order()))
        prima.cancel("30000042")
        state = client.order_status("30000042")
    assert state is not None
    assert (state.status_text, state.status) == ("Cancelled", None)


def test_only_the_set_words_mean_that_an_order_is_not_there(prima: PrimaStandIn, client_for: ClientFor) -> None:
    assert client_for().order_status("30000099") is None
    for text in ("", "(E:22) Some other sentence"):
        with pytest.raises(CallRefusedError, match="does not exist"):
            client_for(status_not_found_text=text).order_status("30000099")


def test_an_unknown_error_is_no_proof_of_absence(prima: PrimaStandIn, client: PrimaClient) -> None:
    prima.settings.companies = ("7",)
    prima.not_found_text = "Database is being copied"
    with pytest.raises(CallRefusedError, match="being copied"):
        client.order_status("30000099")


def test_not_found_is_recognised_behind_development_traces(prima: PrimaStandIn, client: PrimaClient) -> None:
    prima.settings.dev_mode = True
    assert client.order_status("30000099") is None


@pytest.mark.parametrize("kind", ["lose_answer", "reset", "truncate", "soap_fault"])
def test_a_question_whose_answer_is_lost_may_be_asked_again(
    prima: PrimaStandIn, client: PrimaClient, kind: str
) -> None:
    prima.faults.add("OrderStatus", kind, text="It broke (1)")  # type: ignore[arg-type]
    with pytest.raises(SystemUnavailableError):
        client.order_status("30000042")
    assert client.order_status("30000042") is None


def test_half_a_status_document_proves_nothing(prima: PrimaStandIn, client: PrimaClient) -> None:
    prima.faults.add("OrderStatus", "cut_answer")
    with pytest.raises(OutcomeUnknownError):
        client.order_status("30000042")


def test_an_answer_of_another_company_stops_the_flow(prima: PrimaStandIn, client_for: ClientFor) -> None:
    with pytest.raises(ConfigurationError, match="company '1' answered, not '7'"):
        client_for(expected_company="7").stock_snapshot()


def test_a_snapshot_holds_every_row_with_its_whole_tuple(prima: PrimaStandIn, client: PrimaClient) -> None:
    snapshot = client.stock_snapshot()
    assert {(row.item, row.quantity) for row in snapshot.rows} == {
        (BOOT, "9"),
        (StockTuple("HARBRN", "F", "080"), "0"),
        (WAX, "12"),
    }
    assert snapshot.company == "1"
    assert snapshot.asked_at <= snapshot.answered_at <= datetime.now(UTC) + timedelta(seconds=1)
    ranged = client.stock_snapshot("W", "X")
    assert [row.item for row in ranged.rows] == [WAX]


def test_an_empty_snapshot_is_handed_on_as_it_is(prima: PrimaStandIn, client: PrimaClient) -> None:
    prima.faults.add("ProductAvailableToSell", "empty_snapshot")
    assert client.stock_snapshot().rows == []


def test_half_a_snapshot_is_never_taken_for_a_snapshot(prima: PrimaStandIn, client: PrimaClient) -> None:
    prima.faults.add("ProductAvailableToSell", "cut_answer")
    with pytest.raises(UnexpectedResponseError):
        client.stock_snapshot()
    prima.faults.add("ProductAvailableToSell", "truncate")
    with pytest.raises(SystemUnavailableError):
        client.stock_snapshot()


def test_listed_skus_are_asked_for_in_portions(prima: PrimaStandIn, client_for: ClientFor) -> None:
    items = [StockTuple(f"P{number:03}", "A", "") for number in range(32)]
    prima.add_items(Item(item.product, item.product, "A", available=1) for item in items)
    rows = client_for(skus_per_stock_request=15).available_to_sell([*items, items[0]])
    assert [row.item for row in rows] == items
    sent = [request["xml"].count("<sku ") for request in prima.requests()]
    assert sent == [15, 15, 2]


def test_a_sku_that_prima_leaves_out_has_no_row(prima: PrimaStandIn, client: PrimaClient) -> None:
    rows = client.available_to_sell([BOOT, StockTuple("GHOST")])
    assert [row.item for row in rows] == [BOOT]


def test_codes_are_compared_without_case_and_come_back_in_primas_spelling(
    prima: PrimaStandIn, client: PrimaClient
) -> None:
    rows = client.available_to_sell([StockTuple("WAXTIN", "None", "One")])
    assert [row.item for row in rows] == [WAX]


def test_one_unknown_sku_may_fail_the_whole_request_in_primas_words(prima: PrimaStandIn, client: PrimaClient) -> None:
    prima.settings.unknown_sku = "error"
    with pytest.raises(CallRefusedError):
        client.available_to_sell([BOOT, StockTuple("GHOST")])


def test_a_code_that_would_have_to_be_changed_is_not_asked_for(client: PrimaClient) -> None:
    with pytest.raises(CallRefusedError) as refused:
        client.available_to_sell([StockTuple("AB\u2019C")])
    assert refused.value.code == "CHARACTER_REJECTED"


def test_a_portion_larger_than_a_request_may_be_is_a_matter_of_settings(client_for: ClientFor) -> None:
    client = client_for(skus_per_stock_request=500, request_size_limit=1_000)
    with pytest.raises(ConfigurationError, match="skus_per_stock_request"):
        client.available_to_sell([StockTuple(f"P{number:03}") for number in range(500)])


def test_a_snapshot_in_ranges_is_the_whole_stock_in_one_request_a_range(
    prima: PrimaStandIn, client_for: ClientFor
) -> None:
    whole = client_for().stock_snapshot()
    ranges = [{"last": "HARBRN"}, {"first": "HARBRN", "last": "M"}, {"first": "M"}]

    parts = client_for(stock={"ranges": ranges}).stock_snapshot()

    assert parts.rows == whole.rows
    assert [request["request_type"] for request in prima.requests()] == ["ProductAvailableToSell"] * 4
    assert client_for(stock={"ranges": ranges}).stock_snapshot("W", "X").rows == whole.rows[-1:]
