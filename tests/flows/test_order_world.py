"""A generated world of orders through both stand-ins over HTTP: accepted with equal totals, or an exception.

200 orders here; `make world` sends 10,000. The pure line with 10,000 is `tests/unit/test_order_worlds.py`.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from flows.orders import sync_orders
from sandbox.world.catalogue import make_catalogue
from schemas.batches import chunks
from schemas.money import to_pence
from schemas.reasons import REASONS
from tests.installation import Installation
from tests.order_world import plain, spoilt_world, world_orders

SEED = 20261124


def test_every_order_of_a_world_is_accepted_with_equal_totals_or_ends_under_the_right_code(
    installation: Installation, request: pytest.FixtureRequest
) -> None:
    count = request.config.getoption("--world-orders")
    catalogue = make_catalogue(SEED)
    installation.prima.add_items([variant.item for variant in catalogue])
    until = datetime.now(UTC) - timedelta(hours=1)
    world = list(islice(spoilt_world(world_orders(catalogue, SEED, count, until)), count))
    for some in chunks(world, 500):
        installation.magento.load_orders([plain(order) for order, _ in some])

    summaries = sync_orders()

    in_prima = {order["order_number"]: order for order in installation.prima.orders()}
    with installation.ledger() as ledger:
        notes = ledger.exceptions()
    codes = {note.order_number: note.code for note in notes if REASONS[note.code].severity != "warning"}
    codes |= {note.order_number: note.code for note in notes if note.code in {code for _, code in world}}
    ended: Counter[str] = Counter()
    pence: Counter[str] = Counter()
    for order, code in world:
        number, gross = order["increment_id"], to_pence(order["grand_total"])
        prima = in_prima.get(f"30{order['entity_id']:06d}")
        assert codes.get(number, "") == code, number
        assert (prima is None) is bool(code), number
        if prima is not None:
            assert (prima["gross"], prima["vat"]) == (gross, to_pence(order["tax_amount"])), number
        kind = "accepted" if not code else "left out" if REASONS[code].severity == "info" else "exception"
        ended[kind] += 1
        pence[kind] += gross
    assert len(in_prima) == ended["accepted"]
    steps = sum((Counter(summary.counts) for summary in summaries), Counter())
    # An order that our own note changed while the run still read comes once more, and is known.
    assert steps["fetched"] - steps["already posted"] == count
    assert steps["posted"] + steps["exceptions"] + steps["rejected"] == count
    assert sum(ended.values()) == count
    posted = sum((Counter(summary.posted_gross_pence) for summary in summaries), Counter())
    assert sum(posted.values()) == pence["accepted"] == sum(order["gross"] for order in in_prima.values())
