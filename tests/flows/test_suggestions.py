"""A person accepts a suggested SKU: every order that waits for it goes to PRIMA, and the ledger says who did it."""

import json
from datetime import UTC, datetime

import pytest

from flows.inventory import sync_inventory
from flows.orders import sync_orders
from flows.suggestions import accept_suggestion, withdraw_suggestion
from sandbox.prima.items import Item
from tasks.errors import ConfigurationError, SystemUnavailableError
from tests.builders import SKU, an_order, an_order_line
from tests.flows.shopping import PRICE
from tests.installation import Installation

WRONG = SKU.lower()
JANE = "jane in ecommerce"


def load(installation: Installation, *orders: dict[str, object]) -> None:
    """Give Magento these orders, and PRIMA nothing."""
    installation.magento.load_orders(json.loads(json.dumps(orders, default=float)))


def an_order_of(sku: str, number: str) -> dict[str, object]:
    """Return an order of three units of a SKU, placed just now."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    return an_order(number, lines=[an_order_line(sku)], created_at=now, updated_at=now)


def test_accepting_a_suggestion_releases_every_order_that_waits_for_it_and_counts_from_then_on(
    installation: Installation,
) -> None:
    installation.holds(an_order_of(SKU, "000000101"))
    load(installation, an_order_of(WRONG, "000000102"), an_order_of(WRONG, "000000103"), an_order_of("GIFT", "104"))
    sync_orders()
    assert len(installation.prima.order_numbers()) == 1

    with pytest.raises(ConfigurationError, match="GIFT is not suggested"):
        accept_suggestion(WRONG, "GIFT", JANE)
    accepted = accept_suggestion(WRONG, SKU, JANE)

    assert accepted.orders == ("000000102", "000000103")
    assert (accepted.counts["posted"], accepted.posted_gross_pence) == (2, {"GBP": 2 * 6392})
    assert installation.open_codes() == {"order 104": "SKU_UNKNOWN"}
    (item,) = {line["product"] for order in installation.prima.orders() for line in order["lines"][:1]}
    assert item

    load(installation, an_order_of(WRONG, "000000105"))
    sync_orders()
    assert len(installation.prima.order_numbers()) == 4

    with installation.ledger() as ledger:
        (mapping,) = ledger.mapping_history("sku", WRONG)
        notes = ledger.exceptions(state="closed", sku=WRONG)
        events = [(event.event, event.actor) for event in ledger.exception_events(notes[0].id)]
    assert (mapping.value["sku"], mapping.set_by, mapping.ended_at) == (SKU, JANE, None)
    assert events == [("raised", events[0][1]), ("noted", JANE), ("closed", "orders")]

    withdraw_suggestion(WRONG, JANE)
    load(installation, an_order_of(WRONG, "000000106"))
    sync_orders()
    assert installation.open_codes()["order 000000106"] == "SKU_CASE"
    with pytest.raises(ConfigurationError, match="no accepted suggestion"):
        withdraw_suggestion(WRONG, JANE)


def test_while_prima_is_away_the_mapping_is_kept_and_the_next_run_posts_what_waits(installation: Installation) -> None:
    installation.holds(an_order_of(SKU, "000000101"))
    load(installation, an_order_of(WRONG, "000000102"))
    sync_orders()
    installation.prima.faults.add("MultiNewOrder", "status", times=None, status=503)

    with pytest.raises(SystemUnavailableError, match="the next run of orders posts"):
        accept_suggestion(WRONG, SKU, JANE)
    installation.prima.faults.clear()
    sync_orders()

    assert len(installation.prima.order_numbers()) == 2
    assert installation.open_codes() == {}


def test_stock_follows_to_a_product_that_magento_spells_otherwise_until_it_has_primas_sku(
    installation: Installation,
) -> None:
    others = [Item(f"NB-{number}", f"NB{number}", "BLK", "8", available=5, price=PRICE) for number in range(9)]
    installation.prima.add_items([Item(SKU, "OB1234", "BLK", "8", available=53, price=PRICE), *others])
    for sku in ("OB 1234 BLK 8", *(other.sku for other in others)):
        installation.magento.add_product(sku, price=PRICE, quantity=3)
    load(installation, an_order_of("OB 1234 BLK 8", "000000102"))
    sync_orders()
    accepted = installation.command("exceptions", "accept", "OB 1234 BLK 8", "--as", SKU, "--by", JANE, "--json")
    assert (accepted.returncode, json.loads(accepted.stdout)["counts"]["posted"]) == (0, 1)

    sync_inventory()

    assert installation.magento.source_quantity("OB 1234 BLK 8") == 50 + 3  # PRIMA's, and the open units of the order
    installation.magento.add_product(SKU, price=PRICE, quantity=0)
    sync_inventory()

    assert installation.magento.source_quantity(SKU) == 50  # corrected in Magento: stock goes to PRIMA's SKU again
    assert "stands for" in installation.command("exceptions", "accepted").stdout
    assert installation.command("exceptions", "accept", "nothing", "--as", SKU, "--by", JANE).returncode == 2
