"""What a customer puts together before an order exists: lines, coupon, delivery, payment, and the shop's tax settings.

Amounts are Decimal in the website's base currency and are as entered in Magento: gross where the settings say that
prices include VAT, net otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self

VAT_CLASSES = ("standard", "reduced", "zero", "none")


class Algorithm(StrEnum):
    """Where Magento rounds VAT: per unit, per row, or on the running total of a rate."""

    UNIT_BASE = "UNIT_BASE_CALCULATION"
    ROW_BASE = "ROW_BASE_CALCULATION"
    TOTAL_BASE = "TOTAL_BASE_CALCULATION"


@dataclass(frozen=True, slots=True)
class TaxSettings:
    """The settings of `tax/calculation/*` that change figures. The defaults are a UK shop with VAT-inclusive prices.

    `apply_after_discount`: VAT is charged on the price after discount. `discount_tax`: discounts are worked out on the
    gross price. `cross_border_trade_enabled`: every country pays the same gross price. `home_country` is the country
    whose VAT is inside the catalogue prices.
    """

    algorithm: Algorithm = Algorithm.TOTAL_BASE
    price_includes_tax: bool = True
    shipping_includes_tax: bool = True
    apply_after_discount: bool = True
    discount_tax: bool = True
    cross_border_trade_enabled: bool = False
    home_country: str = "GB"

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Read the settings as `tax-baskets.json` records them: 0 and 1, and the algorithm's full name."""
        return cls(
            algorithm=Algorithm(record["algorithm"]),
            price_includes_tax=bool(record["price_includes_tax"]),
            shipping_includes_tax=bool(record["shipping_includes_tax"]),
            apply_after_discount=bool(record["apply_after_discount"]),
            discount_tax=bool(record["discount_tax"]),
            cross_border_trade_enabled=bool(record["cross_border_trade_enabled"]),
        )


class CouponAction(StrEnum):
    """What a cart price rule does, under Magento's own names (`simple_action`)."""

    PERCENT = "by_percent"
    FIXED_EACH = "by_fixed"
    FIXED_CART = "cart_fixed"
    BUY_X_GET_Y = "buy_x_get_y"


@dataclass(frozen=True, slots=True)
class Coupon:
    """A coupon and the cart price rule behind it.

    `amount` is per cent, an amount per unit, an amount per cart, or the number of free units; `step` is the X of
    buy-X-get-Y. `rule_id` appears in the order as `applied_rule_ids`.
    """

    code: str
    action: CouponAction
    amount: Decimal
    step: int = 0
    applies_to_shipping: bool = False
    rule_id: int = 1


@dataclass(frozen=True, slots=True)
class CartLine:
    """One line of a cart.

    For `configurable` the SKU is the child's, as in Magento's orders; `name` is the parent's and `child_name` the
    child's; `options` are pairs of attribute id and option id. A virtual line has no weight and is not shipped.
    """

    sku: str
    quantity: int
    catalogue_price: Decimal
    name: str = ""
    vat_class: str = "standard"
    product_type: str = "simple"
    child_name: str = ""
    options: tuple[tuple[str, int], ...] = ()
    weight: Decimal | None = Decimal("0.4")
    product_id: int = 0
    child_product_id: int = 0

    @property
    def child_sku(self) -> str:
        """The SKU of the variant under a configurable line, empty for any other line."""
        return self.sku if self.product_type == "configurable" else ""

    def __post_init__(self) -> None:
        if self.quantity < 1:
            raise ValueError(f"{self.sku}: a cart line needs at least one unit, not {self.quantity}")
        if self.vat_class not in VAT_CLASSES:
            raise ValueError(f"{self.sku}: VAT class {self.vat_class!r} is none of {', '.join(VAT_CLASSES)}")


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """An address as a customer types it. What is empty is left out of the order, as Magento does.

    `region_id` and `county_code` are set only where Magento has a list of regions (US, DE, FR); elsewhere the county
    is repeated as its own code.
    """

    forename: str
    surname: str
    street: tuple[str, ...]
    town: str
    postcode: str
    country: str = "GB"
    county: str = ""
    phone: str = "01632 960000"
    company: str = ""
    vat_number: str = ""
    county_code: str = ""
    region_id: int = 0


@dataclass(frozen=True, slots=True)
class Customer:
    """Who buys. `customer_id` 0 is a guest."""

    forename: str
    surname: str
    email: str
    customer_id: int = 0
    group_id: int = 0


@dataclass(frozen=True, slots=True)
class StoreView:
    """A store view of the recorded shop. `rate` turns the website's base currency into the currency shown."""

    store_id: int
    name: str
    base_currency: str = "GBP"
    order_currency: str = "GBP"
    rate: Decimal = Decimal(1)
    base_to_global_rate: Decimal = Decimal(1)
    global_currency: str = "GBP"


STORE_VIEWS = {
    1: StoreView(1, "UK\nMain Website Store\nDefault Store View"),
    2: StoreView(2, "UK\nMain Website Store\nOutlet view"),
    3: StoreView(3, "UK\nMain Website Store\nUK store shown in euro", order_currency="EUR", rate=Decimal("1.1743")),
    4: StoreView(
        4,
        "Ireland and EU\nEU Store\nEU English",
        base_currency="EUR",
        order_currency="EUR",
        base_to_global_rate=Decimal("0.8516"),
    ),
}


@dataclass(frozen=True, slots=True)
class Cart:
    """A cart that can be placed as an order.

    `shipping_price` is as entered (gross when `settings.shipping_includes_tax`). The currencies come with the store
    view. A cart of virtual lines only is not delivered: its shipping fields are ignored.
    """

    lines: tuple[CartLine, ...]
    customer: Customer
    address: PostalAddress
    settings: TaxSettings = field(default_factory=TaxSettings)
    coupon: Coupon | None = None
    shipping_method: str = "flatrate_flatrate"
    shipping_description: str = "Flat Rate - Fixed"
    shipping_price: Decimal = Decimal("3.95")
    payment_method: str = "checkmo"
    purchase_order_number: str = ""
    billing_address: PostalAddress | None = None
    store_id: int = 1

    @property
    def store(self) -> StoreView:
        """The store view; raises KeyError for one that the shop does not have."""
        return STORE_VIEWS[self.store_id]

    @property
    def is_virtual(self) -> bool:
        """True when nothing of the cart is delivered."""
        return all(line.product_type == "virtual" for line in self.lines)
