"""What the settings decide about orders, stock and dispatches, as plain values for the pure steps.

`tasks/connect.py` makes them from the settings; nothing here reads a file.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from schemas.buffers import Buffers
from schemas.documents import StockTuple
from schemas.order_checks import DEFAULT_ACTIONS, Action

_NUMBER_WITH_LETTERS = re.compile(r"^[A-Za-z0-9-]+$")
SellableFigure = Literal["available", "available_less_reserved", "physical_less_allocated"]
ImportWhen = Literal["always", "paid", "authorised", "never"]
OWN_IMPORT_RULES = ("import_states", "import_statuses", "start_date", "minimum_age", "expire_unpaid")


@dataclass(frozen=True, slots=True)
class StoreRule:
    """A Magento store view: imported or not, PRIMA's channel and brand for it, and import rules of its own.

    An import rule that is None is the one of all stores; `import_when` holds single payment methods.
    """

    code: str
    is_imported: bool
    order_channel: str
    brand: str
    import_states: frozenset[str] | None = None
    import_statuses: frozenset[str] | None = None
    start_date: date | None = None
    minimum_age: timedelta | None = None
    expire_unpaid: timedelta | None = None
    import_when: Mapping[str, ImportWhen] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PaymentRule:
    """PRIMA's codes of a Magento payment method, and when its orders are imported."""

    pay_method: str
    sub_pay_method: str
    pay_provider: str
    order_category: str
    import_when: ImportWhen


@dataclass(frozen=True, slots=True)
class TenderRule:
    """PRIMA's codes of a gift card, store credit or reward points."""

    pay_method: str
    sub_pay_method: str
    pay_provider: str


@dataclass(frozen=True, slots=True)
class DeliveryRule:
    """PRIMA's charge, carrier and service codes of a Magento shipping method."""

    charge: str
    carrier: str
    service: str


@dataclass(frozen=True, slots=True)
class NumberRule:
    """How PRIMA's order number is made: prefix, then the shop's number zero-filled to `length` digits in all.

    Without `digits_only` a number with letters or hyphens (`000000101-1`) follows the prefix as it is.
    """

    prefix: str
    source: Literal["entity_id", "increment_id"]
    length: int
    digits_only: bool = True

    @property
    def room(self) -> int:
        """Digits that are left for the shop's own number."""
        return self.length - len(self.prefix)

    def is_ours(self, order_number_prima: str) -> bool:
        """Tell whether PRIMA's number is of the kind that this shop gives; without a prefix every one may be."""
        if not self.prefix:
            return True
        return order_number_prima.startswith(self.prefix) and len(order_number_prima) == self.length

    def number(self, entity_id: int, order_number: str) -> str | None:
        """Return PRIMA's number of an order, or None when it does not fit into `length` digits."""
        own = str(entity_id) if self.source == "entity_id" else order_number
        if own.isascii() and own.isdigit():
            return self.prefix + own.lstrip("0").zfill(self.room) if len(own.lstrip("0")) <= self.room else None
        if self.digits_only or not _NUMBER_WITH_LETTERS.match(own) or len(own) > self.room:
            return None
        return self.prefix + own


@dataclass(frozen=True, slots=True)
class VatPeriod:
    """VAT rates of a destination in per cent, from the first to the last London date on which they held."""

    rates: frozenset[Decimal]
    first_date: date | None = None
    last_date: date | None = None

    def holds_on(self, on: date) -> bool:
        """Tell whether the rates held on a date; the last date is included."""
        return (self.first_date is None or self.first_date <= on) and (self.last_date is None or on <= self.last_date)


@dataclass(frozen=True, slots=True)
class SizeRule:
    """Which sizes are children's, told by one of PRIMA's matrix codes, and where they may be free of VAT."""

    size_in: Literal["mtrx1", "mtrx2", "mtrx3", "mtrx4"]
    sizes: frozenset[str]
    pattern: str = ""
    countries: frozenset[str] = frozenset({"GB", "IM"})

    def is_childs(self, item: StockTuple) -> bool:
        """Tell whether an item has a children's size; the pattern must fit the whole code."""
        size = str(getattr(item, self.size_in))
        return size in self.sizes or bool(self.pattern and re.fullmatch(self.pattern, size))


@dataclass(frozen=True, slots=True)
class OrderRules:
    """Everything the settings say about importing an order."""

    import_states: frozenset[str]
    start_date: date | None
    stores: Mapping[int, StoreRule]
    payments: Mapping[str, PaymentRule]
    deliveries: Mapping[str, DeliveryRule]
    vat_rates: Mapping[str, Sequence[VatPeriod]]
    number: NumberRule
    shipped_before_posting: Literal["hold", "post_on_hold", "post"]
    is_held_in_prima: bool
    import_statuses: frozenset[str] = frozenset()
    minimum_age: timedelta = timedelta(0)
    expire_unpaid: timedelta | None = None
    as_at: datetime | None = None
    tenders: Mapping[str, TenderRule] = field(default_factory=dict)
    takes_several_payments: bool = False
    actions: Mapping[str, Action] = field(default_factory=lambda: DEFAULT_ACTIONS)
    countries: frozenset[str] = frozenset()
    sizes: SizeRule | None = None
    duplicate_within: timedelta = timedelta(0)
    bundles: Literal["hold", "post"] = "hold"
    has_rounding_line: bool = False

    def of_store(self, store_id: int) -> "OrderRules":
        """Return the rules as they are for one store view."""
        store = self.stores.get(store_id)
        own = {name: getattr(store, name, None) for name in OWN_IMPORT_RULES}
        changes: dict[str, Any] = {name: value for name, value in own.items() if value is not None}
        return replace(self, **changes) if changes else self

    def rates_of(self, country: str, on: date) -> frozenset[Decimal]:
        """Return the VAT rates that a destination had on a London date; none but 0 where it has no entry at all."""
        periods = self.vat_rates.get(country)
        if periods is None:
            return frozenset({Decimal(0)})
        return frozenset(rate for period in periods if period.holds_on(on) for rate in period.rates)

    def is_too_young(self, placed_at: datetime) -> bool:
        """Tell whether an order placed then has to wait for a later run; without an `as_at` none has."""
        return self.as_at is not None and bool(self.minimum_age) and placed_at > self.as_at - self.minimum_age

    def is_expired(self, placed_at: datetime) -> bool:
        """Tell whether an order placed then is left out when it still is not paid."""
        return self.as_at is not None and self.expire_unpaid is not None and placed_at < self.as_at - self.expire_unpaid


@dataclass(frozen=True, slots=True)
class BackOrderRule:
    """How far a SKU of which nothing is available may be sold all the same: units, while its date is near enough.

    `units` is the most that may wait for new stock at a time; `within` how far away a believed date may be.
    """

    units: int
    within: timedelta


@dataclass(frozen=True, slots=True)
class StockRules:
    """Which source gets what: buffers, the sources of PRIMA's warehouses, and back-orders.

    `source_code` takes the figures that name no warehouse. A warehouse that maps to empty text is left out.
    """

    source_code: str
    buffers: Buffers
    date_horizon_days: int | None = None
    placeholder_dates: frozenset[date] = frozenset()
    reports_missing: bool = True
    warehouses: Mapping[str, str] = field(default_factory=dict)
    back_orders: BackOrderRule | None = None
    sellable: SellableFigure = "available"

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources that are written."""
        if not self.warehouses:
            return (self.source_code,)
        return tuple(sorted({source for source in self.warehouses.values() if source}))

    def source_of(self, warehouse: str) -> str | None:
        """Return the source of a warehouse, empty text when it is left out, None when no setting says."""
        if not self.warehouses:
            return self.source_code
        return self.warehouses.get(warehouse)

    def believed(self, expected: date | None, asked_on: date) -> date | None:
        """Return a date on which stock is expected; None for one that is past, a placeholder or too far ahead."""
        if expected is None or expected < asked_on or expected in self.placeholder_dates:
            return None
        if self.date_horizon_days is not None and expected > asked_on + timedelta(days=self.date_horizon_days):
            return None
        return expected


@dataclass(frozen=True, slots=True)
class ServiceRule:
    """A service of a carrier that is told in its own way; what is empty is the carrier's."""

    title: str = ""
    tracking_url: str = ""


@dataclass(frozen=True, slots=True)
class CarrierRule:
    """How a PRIMA carrier is told to the customer. `tracking_url` holds `{tracking_number}`."""

    title: str
    magento_carrier_code: str
    tracking_url: str = ""
    services: Mapping[str, ServiceRule] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DispatchRules:
    """Carriers known by PRIMA's code, and what happens to a dispatch that cannot go as it is.

    Where the source of dispatches never names a carrier, an empty one is no mistake.
    """

    carriers: Mapping[str, CarrierRule]
    unknown_carrier: Literal["hold", "ship_without_tracking"]
    notify_customer: bool
    service_items: frozenset[StockTuple] = field(default_factory=frozenset)
    rest_of_dispatch: Literal["waits", "goes"] = "waits"
    names_carriers: bool = True

    def is_known(self, carrier: str) -> bool:
        """Tell whether a dispatch with this carrier may be told as it is."""
        return carrier in self.carriers or (not carrier and not self.names_carriers)
