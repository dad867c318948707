"""`[prima.check]`: what `magento-prima check` asks PRIMA about; reading only."""

from pydantic import Field

from tasks.settings.prima.orders import StockTupleSettings
from tasks.settings.section import Section


class PrimaCheckSettings(Section):
    """`[prima.check]`: questions of the first hour with a real installation. What is empty is not asked."""

    product_from: str = Field(default="", description="first product code of a narrow range whose stock is asked for")
    product_to: str = Field(default="", description="last product code of that range")
    item: StockTupleSettings | None = Field(
        default=None, description="an item that exists; it is asked for together with an invented one"
    )
    order_number: str = Field(
        default="", pattern=r"^\w*$", description="PRIMA's number of an order that exists; its state is asked for"
    )
    invented_order_number: str = Field(
        default="",
        pattern=r"^\w*$",
        description="a number that no order has; empty = prima.orders.number_prefix followed by nines",
    )
