"""A shop whose SKUs spell PRIMA's stock tuple: no items extract is needed, for orders nor for stock."""

from decimal import Decimal

from flows.inventory import sync_inventory
from sandbox.prima import Item
from tests.installation import Installation


def test_stock_reaches_a_sku_that_only_a_pattern_ties_to_its_tuple_beside_a_row_without_a_product(
    installation: Installation,
) -> None:
    installation.magento.add_product("HARBOUR-BLK-10", price=Decimal("39.99"), quantity=3)
    installation.magento.add_product("no tuple", price=Decimal("9.99"), quantity=5)
    installation.prima.add_items(
        [
            Item(sku="", product="HARBOUR", mtrx1="BLK", mtrx2="10", available=7, price=Decimal("39.99")),
            Item(sku="none", product="", mtrx1="BLK", mtrx2="10", available=4, price=Decimal("9.99")),
        ]
    )
    pattern = r"'(?P<product>[A-Z]+)-(?P<mtrx1>[A-Z]+)-(?P<mtrx2>\d+)'"
    installation.configure(source=f'"pattern"\npattern = {pattern}')

    sync_inventory()

    assert installation.magento.source_quantity("HARBOUR-BLK-10") == 7
    assert installation.magento.source_quantity("no tuple") == 5
    assert installation.open_codes(["STOCK_ROW_REJECTED"]) == {"item /BLK/10//": "STOCK_ROW_REJECTED"}
