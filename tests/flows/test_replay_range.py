"""Many orders played again, by dates or by number: one set of orders, looked at in every way, posted at the end."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from flows.orders import sync_orders
from flows.replay_range import replay_range
from flows.replay_views import range_as_text
from tasks.errors import ConfigurationError
from tests.builders import an_order, an_order_line
from tests.installation import Installation

DAY = datetime.now(UTC).replace(hour=12, minute=0, second=0) - timedelta(days=2)
TODAY, EARLIER = DAY.date(), DAY.date() - timedelta(days=1)
SENT = [f"00000010{number}" for number in range(4)]
REFUSED, NEW, UNKNOWN_SKU, BEFORE = "000000110", "000000111", "000000112", "000000090"


def placed(number: str, on: date = TODAY, **fields: object) -> dict[str, object]:
    """Return an order placed at noon of a day and changed just now."""
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
    return an_order(number, created_at=f"{on} 12:00:00", updated_at=now, **fields)  # type: ignore[arg-type]


def verdicts(**options: object) -> dict[str, tuple[str, ...]]:
    """Return the order numbers by verdict of a replay of the whole day, or of what the options ask for."""
    found = replay_range(**(options or {"from_date": TODAY, "to_date": TODAY}))  # type: ignore[arg-type]
    return {each.name: each.order_numbers for each in found.verdicts}


def test_a_range_shows_what_would_become_of_each_order_and_posts_only_what_prima_lacks(
    installation: Installation,
) -> None:
    installation.holds(*(placed(number) for number in SENT), placed(BEFORE, EARLIER))
    sync_orders()
    installation.prima.settings.vat_inclusive = False
    installation.holds(placed(REFUSED))
    sync_orders()
    installation.prima.settings.vat_inclusive = True
    installation.holds(placed(NEW))
    unknown = placed(UNKNOWN_SKU, lines=[an_order_line("NOBODY-KNOWS")])
    installation.magento.load_orders(json.loads(json.dumps([unknown], default=float)))
    installation.configure(charge='"NEWCODE"', delivery_as='"charge"')
    before = installation.prima.order_numbers()

    dry = replay_range(TODAY, TODAY)

    named = {each.name: each.order_numbers for each in dry.verdicts}
    assert named == {
        "in PRIMA": tuple(SENT),
        "would be posted": (REFUSED, NEW),
        "would be held": (UNKNOWN_SKU,),
    }
    assert sum(each.gross_pence for each in dry.verdicts) == 7 * 6392
    assert [each.order_number for each in dry.differing] == [*SENT, REFUSED]
    assert dry.by_attribute["OrderChargeData/@Charge"] == 5
    assert "OrderLineData/@Price" in dry.by_attribute  # the delivery's line is gone
    assert not any(row.name.startswith("OrderLineData 1/") for each in dry.differing for row in each.differences)
    assert "  OrderChargeData/@Charge: 5 orders" in range_as_text(dry, with_customer=False)
    assert installation.prima.order_numbers() == before

    by_number = {"order_numbers": ["30001101", "000000102", BEFORE, "000000999"]}
    assert verdicts(**by_number) == {"in PRIMA": (BEFORE, "000000101", "000000102")}
    assert replay_range(**by_number).missing == ["000000999"]  # type: ignore[arg-type]
    assert verdicts(**by_number, source="evidence") == {"in PRIMA": (BEFORE, "000000101", "000000102")}
    stored = verdicts(from_date=TODAY, to_date=TODAY, source="evidence")
    assert stored == {"in PRIMA": tuple(SENT), "would be posted": (REFUSED,)}

    posted = replay_range(TODAY, TODAY, post=True)

    assert posted.posted == [REFUSED, NEW]
    assert sorted(installation.prima.order_numbers()) == sorted([*before, "30001110", "30001111"])
    assert replay_range(TODAY, TODAY, post=True).posted == []
    assert len(installation.prima.order_numbers()) == len(before) + 2
    assert set(verdicts()) == {"in PRIMA", "would be held"}


def test_the_command_replays_a_list_of_numbers_and_a_range(installation: Installation) -> None:
    installation.holds(placed(SENT[0]), placed(SENT[1]))
    sync_orders()

    listed = installation.command("replay-range", *SENT[:2], "--json")
    ranged = installation.command("replay-range", "--from", str(TODAY), "--to", str(TODAY), "--source", "evidence")
    misused = installation.command("replay-range", SENT[0], "--from", str(TODAY), "--to", str(TODAY))

    assert json.loads(listed.stdout)["verdicts"][0]["order_numbers"] == SENT[:2]
    assert "in PRIMA: 2 orders, £127.84, VAT £21.30" in ranged.stdout
    assert (misused.returncode, "not both" in misused.stderr) == (2, True)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({}, "a range of dates or a list of order numbers"),
        ({"from_date": TODAY}, "one end of the range"),
        ({"from_date": TODAY, "to_date": EARLIER}, "before it begins"),
        ({"order_numbers": ["1"], "source": "evidence", "post": True}, "only from a fresh read"),
    ],
)
def test_what_cannot_be_replayed_is_refused_with_why(
    installation: Installation, options: dict[str, object], why: str
) -> None:
    with pytest.raises(ConfigurationError, match=why):
        replay_range(**options)  # type: ignore[arg-type]
