"""The ways that stock takes: several warehouses and sources, some SKUs alone, bulks; bad rows, and quiet hours."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from flows import stock_view
from flows.inventory import sync_inventory
from flows.orders import sync_orders
from sandbox.magento.carts import Cart
from sandbox.prima.items import Item
from tasks.errors import CallRefusedError, ConfigurationError
from tests.flows.shopping import (
    ADDRESS,
    CUSTOMER,
    PRICE,
    STOCK_WRITE,
    a_line,
    buy,
    by_hand,
    in_prima,
    levels,
    ship_by_hand,
    stock_both,
    stock_writes,
)
from tests.installation import Installation

SKU = "TEE-NAVY-M"
OTHER = "TEE-NAVY-L"
REDS = [f"TEE-RED-{size}" for size in range(8)]
BULK = "POST /async/bulk/V1/inventory/source-items"
AT_ONCE = "[stock]\npush_pause_seconds = 0"


def test_each_source_gets_the_stock_of_its_warehouses_and_the_open_units_that_it_ships(
    installation: Installation,
) -> None:
    stock_both(installation, {SKU: 10})
    in_prima(
        installation,
        """create view by_place as
           select product, mtrx1, mtrx2, mtrx3, mtrx4, w.name as warehouse, max(0, w.share) as available_quantity,
                  null as physical_quantity, null as allocated_quantity, null as reserved_quantity,
                  null as available_date, updated_at
           from stand_in_items, (select 'LEEDS' as name, 6 as share union select 'BRISTOL', 4 union select 'DUBLIN', 5
                                 union select 'SHOP', 80) w where is_stocked = 1""",
    )
    url = f'url = "{installation.prima.reporting_url}"'
    _replace(installation, url, f'{url}\nqueries = {{ stock = "select * from by_place" }}')
    _replace(installation, 'code = "eu_en"', 'code = "eu_en"\nsource_code = "wh_dub"')
    installation.add_settings(
        """[stock]
           figure_from = "extract"
           warehouses = { LEEDS = "default", BRISTOL = "default", DUBLIN = "wh_dub", SHOP = "" }
           [[stock.buffer_rules]]
           source_code = "wh_dub"
           percent = "10"
           floor = 2"""
    )
    sync_inventory()
    order = installation.magento.place_order(Cart((a_line(SKU, 2),), CUSTOMER, ADDRESS, store_id=4))
    sync_orders()
    accepted_before_this_second(installation)

    summary = sync_inventory()

    magento = installation.magento
    assert magento.source_quantity(SKU, "default") == 10
    assert magento.source_quantity(SKU, "wh_dub") == 5 - 2 + 2
    assert magento.salable(SKU, 2) == 5 - 2
    assert summary.counts["left out"] == 1
    assert installation.open_codes() == {}
    view = stock_view.stock(installation.settings, SKU)
    assert view is not None
    by_source = {source["source_code"]: source for source in view["sources"]}
    assert by_source["default"]["explanation"] == "BRISTOL 4, LEEDS 6"
    assert by_source["wh_dub"]["explanation"] == "buffer source wh_dub: 10%, at least 2"
    assert by_source["wh_dub"]["open_orders"] == [{"order_number": order["increment_id"], "units": 2}]


def test_some_skus_are_read_and_written_alone_and_nothing_is_said_of_the_others(installation: Installation) -> None:
    stock_both(installation, {SKU: 10, OTHER: 20})
    installation.magento.add_product("ONLY-IN-MAGENTO", price=PRICE, quantity=3)
    sync_inventory()
    before = installation.open_codes()
    assert before == {"sku ONLY-IN-MAGENTO": "STOCK_NOT_IN_PRIMA"}
    installation.prima.sell_elsewhere(SKU, 1)
    installation.prima.sell_elsewhere(OTHER, 1)

    summary = sync_inventory([SKU, "NEVER-HEARD-OF"])

    assert (summary.counts["fetched"], summary.counts["posted"]) == (1, 1)
    assert (levels(installation, SKU)[0], levels(installation, OTHER)[0]) == (9, 20)
    assert installation.open_codes() == before


def test_an_item_that_primas_stock_does_not_know_spoils_no_answer_about_others(installation: Installation) -> None:
    stock_both(installation, dict.fromkeys((SKU, OTHER), 10))
    installation.prima.settings.unknown_sku = "error"  # for the whole list
    installation.add_settings('[sku.mapped.GHOST]\nproduct = "NOSUCH"')
    for sku in (SKU, OTHER):
        installation.prima.sell_elsewhere(sku, 1)

    summary = sync_inventory(["GHOST", OTHER, SKU])

    assert (summary.counts["fetched"], summary.counts["posted"]) == (2, 2)
    assert [levels(installation, sku)[0] for sku in (SKU, OTHER)] == [9, 9]
    with pytest.raises(CallRefusedError):
        sync_inventory(["GHOST"])


def test_an_orphan_in_a_source_is_no_product_and_never_written_again(installation: Installation) -> None:
    stock_both(installation, {SKU: 10})
    installation.prima.add_items([Item(OTHER, "NEWTEE", available=5)])
    with by_hand(installation) as magento:
        magento.write_source_items([(OTHER, "default", 3)])  # Magento takes any SKU
    sync_inventory()

    assert installation.magento.source_quantity(OTHER) == 3
    assert installation.open_codes() == {f"sku {OTHER}": "STOCK_NOT_IN_MAGENTO"}


def test_a_sku_at_which_magento_fails_inside_is_found_by_halving(installation: Installation) -> None:
    stock_both(installation, dict.fromkeys(REDS, 10))
    for sku in REDS:
        installation.prima.sell_elsewhere(sku, 1)
    installation.add_settings(AT_ONCE)
    # Eight, four, two, one: Magento fails inside each time, as it does when an extension stumbles over one SKU.
    installation.magento.faults.add(STOCK_WRITE, "status", times=4, status=500)

    summary = sync_inventory()

    assert (summary.counts["posted"], summary.counts["unknown"]) == (7, 1)
    assert installation.open_codes() == {f"sku {REDS[0]}": "STOCK_PUSH_FAILED"}
    assert [installation.magento.source_quantity(sku) for sku in REDS] == [10] + [9] * 7


def test_overload_a_lock_wait_and_a_deadlock_halve_the_batches_and_good_ones_let_them_grow_again(
    installation: Installation,
) -> None:
    skus = [f"TEE-RED-{number:02}" for number in range(32)]
    stock_both(installation, dict.fromkeys(skus, 10))
    for sku in skus:
        installation.prima.sell_elsewhere(sku, 1)
    installation.add_settings(AT_ONCE)
    faults = installation.magento.faults
    faults.add(STOCK_WRITE, "status", status=503)
    for status, said in (
        (400, "SQLSTATE[HY000]: General error: 1205 Lock wait timeout exceeded; try restarting transaction"),
        (500, "SQLSTATE[40001]: Serialization failure: 1213 Deadlock found when trying to get lock"),
    ):
        faults.add(STOCK_WRITE, "status", status=status, message=said)

    summary = sync_inventory()

    assert summary.counts["posted"] == 32
    assert {installation.magento.source_quantity(sku) for sku in skus} == {9}
    # 32, 16 and 8 at a time meet trouble; then four calls of 4, the fourth prepared before they grew, and one of 16.
    assert stock_writes(installation) == 3 + 4 + 1
    with installation.ledger() as ledger:
        states = [[push.state for push in reversed(ledger.stock_pushes(sku))] for sku in (skus[0], skus[31])]
    assert states[0] == ["pending", "refused", *["pending", "unknown"] * 2, "pending", "posted"]
    assert states[1] == ["pending", "refused", "pending", "posted"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("oldest_figure_minutes = 0.0000001", "too old to be written"),
        ("[[stock.quiet_times]]\nstart = 00:00:00\nend = 23:59:59.999999", "no stock is written before"),
    ],
    ids=["a figure of the day before yesterday", "the hours of the reindex"],
)
def test_what_may_not_be_written_now_is_written_by_a_later_run_with_fresh_figures(
    installation: Installation, settings: str, words: str
) -> None:
    stock_both(installation, {SKU: 10})
    installation.prima.sell_elsewhere(SKU, 1)
    plain = (installation.folder / "config.toml").read_text(encoding="utf-8")
    installation.add_settings(f"[stock]\n{settings}")

    summary = sync_inventory()

    assert words in summary.paused
    assert (summary.counts["waiting"], stock_writes(installation)) == (1, 0)
    assert installation.open_codes() == {}
    (installation.folder / "config.toml").write_text(plain, encoding="utf-8")
    installation.prima.sell_elsewhere(SKU, 2)
    sync_inventory()
    assert installation.magento.source_quantity(SKU) == 7


@pytest.mark.parametrize(
    ("push_by", "calls"), [("sync", {STOCK_WRITE: 1}), ("bulk", {BULK: 1, STOCK_WRITE: 1})], ids=["sync", "bulk"]
)
def test_a_source_that_magento_does_not_have_is_told_once_for_all_skus(
    installation: Installation, push_by: str, calls: dict[str, int]
) -> None:
    """A bulk's operations fail; their levels are then written directly, which is refused and looked into."""
    stock_both(installation, dict.fromkeys(REDS, 10))
    installation.add_settings(f'[stock]\npush_by = "{push_by}"')
    installation.configure(overlap_minutes='10\nsource_code = "nowhere"')

    summary = sync_inventory()

    assert summary.counts["refused"] == 8
    assert installation.open_codes() == {"source nowhere": "STOCK_SOURCE_UNKNOWN"}
    assert _calls(installation) == calls


def test_rows_that_nobody_can_use_are_told_one_by_one_and_the_rest_goes_through(installation: Installation) -> None:
    """Every kind of damage in one snapshot, as an extract by warehouse may hold it."""
    long, slash, percent, emoji = "L" * 64, "AB/12-CD", "50%OFF", "TEE-😀"
    good = {SKU: "9", slash: "7", percent: "8", long: "6"}
    bad = {"NEGATIVE": "-1", "FRACTION": "2.5", "DATED": "14/09/2030", "WORD": "many", "EMPTY": "", "HUGE": "9" * 12}
    bad |= {emoji: "5", "L" * 65: "5", "SHIFTED": "4"}
    for number, sku in enumerate((*good, *bad)):
        installation.prima.add_items([Item(sku, f"P{number}", available=5)])
    for sku in good:
        installation.magento.add_product(sku, price=Decimal(1), quantity=1)
    installation.magento.add_product("NEGATIVE", price=Decimal(1), quantity=3)
    lines = [
        "product,mtrx1,mtrx2,mtrx3,mtrx4,warehouse,available_quantity,physical_quantity,allocated_quantity,"
        "reserved_quantity,available_date,updated_at,colour"
    ]
    lines += [
        f"P{number},,,,,MAIN,{units},,,,{'2026-02-31' if sku == 'SHIFTED' else ''},2026-11-23 09:15:00,red"
        for number, (sku, units) in enumerate((good | bad).items())
    ]
    folder = installation.folder / "extracts"
    folder.mkdir()
    (folder / "stock.csv").write_text(
        "\n".join([*lines, "P77,,,,,MAIN,1,,,,,2026-11-23 09:15:00,red"]), encoding="utf-8"
    )
    _items_as_file(installation, good | bad)
    _replace(installation, f'url = "{installation.prima.reporting_url}"', f'folder = "{folder}"')
    installation.add_settings('[stock]\nfigure_from = "extract"')

    summary = sync_inventory()

    assert {sku: installation.magento.source_quantity(sku) for sku in good} == {sku: int(n) for sku, n in good.items()}
    assert installation.magento.source_quantity("NEGATIVE") == 3
    rejected = {f"item P{number}//// in MAIN" for number in range(len(good), len(good) + len(bad))}
    assert {subject for subject, code in installation.open_codes().items()} == rejected
    assert set(installation.open_codes().values()) == {"STOCK_ROW_REJECTED"}
    assert (summary.counts["rejected"], summary.counts["without a SKU"]) == (len(bad), 1)
    with installation.ledger() as ledger:
        details = {note.sku: note.detail for note in ledger.exceptions()}
    assert "available_to_sell: greater_than_or_equal_to(0) (value: -1)" in details["NEGATIVE"]
    assert "2026-02-31 is no date" in details["SHIFTED"]
    assert "characters_that_magento_stores" in details[emoji]
    assert "available_to_sell is empty or cannot be read" in details["DATED"]


def test_the_sum_of_a_sku_is_an_artifact_as_well(installation: Installation) -> None:
    stock_both(installation, {SKU: 10})
    buy(installation, a_line(SKU, 3))
    sync_orders()
    sync_inventory()

    text = stock_view.explain_stock(SKU)
    assert "Magento holds: 10, read back at" in text
    assert "Never pushed." in text
    installation.prima.sell_elsewhere(SKU, 1)
    sync_inventory()
    text = stock_view.explain_stock(SKU)
    assert "Magento holds: 9, pushed at" in text
    view = stock_view.stock(installation.settings, SKU)
    assert view is not None
    assert text.splitlines() == stock_view.stock_lines_of_text(view)
    reads = [line.split("  ", 2)[2] for line in text.splitlines() if "(expected" in line]
    assert reads == ["default: 9 (expected 9)", "default: 10 (expected 10)"], "each run reads a sample back"
    for line in ("        6  available to sell", "       +3  open units", "        9  quantity of the source"):
        assert line[1:] in text


def test_the_orders_behind_open_units_are_those_of_now_although_the_sum_is_as_it_was(
    installation: Installation,
) -> None:
    stock_both(installation, {SKU: 10})
    numbers = []
    for _ in range(2):
        order = buy(installation, a_line(SKU, 3))
        sync_orders()
        sync_inventory()
        view = stock_view.stock(installation.settings, SKU)
        assert view is not None
        (source,) = view["sources"]
        assert (source["available_to_sell"], source["open_units"], source["source_qty"]) == (7, 3, 10)
        assert source["open_orders"] == [{"order_number": order["increment_id"], "units": 3}]
        numbers.append(source["snapshot_at"])
        ship_by_hand(installation, order, 3)
        installation.prima.receive(SKU, 3)
    assert len(set(numbers)) == 1, "since when the sum is what it is"


def test_buffers_by_category_and_pattern_follow_their_file_and_what_is_expected_is_sold_only_when_that_is_set(
    installation: Installation,
) -> None:
    stock_both(installation, {SKU: 10})
    expected_on = (datetime.now(UTC) + timedelta(days=20)).date()
    in_prima(installation, f"update stand_in_items set available_date = '{expected_on}' where sku = '{SKU}'")
    file = installation.folder / "categories.csv"
    file.write_text(f"sku,category\n{SKU},TEES\n{SKU},SALE\n", encoding="utf-8")
    installation.add_settings(
        f'''[stock]
            categories_file = "{file}"
            [[stock.buffer_rules]]
            category = "TEES"
            percent = "15"
            [[stock.buffer_rules]]
            sku = "TEE-NAVY-?"
            units = 1
            floor = 3'''
    )

    sync_inventory()
    assert levels(installation, SKU) == (8, 8)
    assert "made of: buffer category TEES: 15%" in stock_view.explain_stock(SKU)

    file.write_text(f"sku,category\n{SKU},HATS\n", encoding="utf-8")
    sync_inventory()
    assert levels(installation, SKU) == (7, 7), "the file alone changed, so the pattern fits"
    assert "made of: buffer TEE-NAVY-?: 1, at least 3" in stock_view.explain_stock(SKU)
    installation.prima.sell_elsewhere(SKU, 10)
    sync_inventory()
    assert levels(installation, SKU) == (0, 0), "what is expected is not sold"
    assert f"next stock expected on {expected_on}" in stock_view.explain_stock(SKU)

    installation.add_settings("[stock.back_orders]\nunits = 4\nwithin_days = 21")
    sync_inventory()
    assert levels(installation, SKU) == (4, 4)
    assert "+4  sold on back-order" in stock_view.explain_stock(SKU)
    installation.configure(within_days="19")
    sync_inventory()
    assert levels(installation, SKU) == (0, 0), "too far away"

    file.write_text("sku;category\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="has no column sku, category"):
        sync_inventory()


def _calls(installation: Installation) -> dict[str, int]:
    """Return how often stock was written in which way."""
    named = [f"{call['method']} {call['path']}" for call in installation.magento.calls()]
    return {way: named.count(way) for way in (BULK, STOCK_WRITE) if way in named}


def _items_as_file(installation: Installation, skus: dict[str, Any]) -> None:
    """Let the SKUs come from a file: PRIMA's own items are not in the folder of extracts."""
    path = installation.folder / "items.csv"
    rows = [f"{json.dumps(sku, ensure_ascii=False)},P{number},,,," for number, sku in enumerate(skus)]
    path.write_text("\n".join(["sku,product,mtrx1,mtrx2,mtrx3,mtrx4", *rows]), encoding="utf-8")
    _replace(installation, '[sku]\nsource = "items"', f'[sku]\nsource = "file"\nfile = "{path}"')


def _replace(installation: Installation, old: str, new: str) -> None:
    """Write one place of the settings file differently."""
    path = installation.folder / "config.toml"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def accepted_before_this_second(installation: Installation) -> None:
    """Set acceptance back: the clock of PRIMA's reporting database, which the stock is as at, shows whole seconds."""
    engine = create_engine(f"sqlite:///{installation.folder / 'ledger.db'}")
    with engine.begin() as connection:
        connection.execute(text("update orders set accepted_at = datetime(accepted_at, '-2 seconds')"))
    engine.dispose()
