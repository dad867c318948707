"""Settlement files of payment providers: where they lie, and which columns of each hold what."""

from collections.abc import Mapping
from typing import Any, Literal
from zoneinfo import available_timezones

from pydantic import Field, ValidationInfo, field_validator

from schemas.settlements import FeeSign, Kind, SettlementFormat, SignRule, Unit
from tasks.settings.section import NO_DEFAULT, Section

Preset = Literal["stripe", "paypal", "adyen", "klarna"]
# What the providers' public documentation says of their files: Stripe's itemized payout reconciliation and balance
# reports with reporting categories, PayPal's activity download, Adyen's settlement details report, Klarna's settlement
# report. Anything here may be set anew; a file with another header is refused by name.
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "stripe": {
        "reference": ["balance_transaction_id"],
        "kind": "reporting_category",
        "kinds": {
            "charge": "payment",
            "refund": "refund",
            "refund_failure": "refund_reversed",
            "dispute": "chargeback",
            "dispute_reversal": "chargeback_reversed",
            "fee": "fee",
            "payout": "payout",
        },
        "date": "created_utc",
        "date_format": "%Y-%m-%d %H:%M:%S",
        "zone": "UTC",
        "currency": "currency",
        "gross": "gross",
        "fee": "fee",
        "net": "net",
    },
    "paypal": {
        "reference": ["Transaction ID"],
        "order_reference": "Invoice Number",
        "kind": "Type",
        "kinds": {
            "Express Checkout Payment": "payment",
            "Website Payment": "payment",
            "Payment Refund": "refund",
            "Chargeback": "chargeback",
            "Chargeback Reversal": "chargeback_reversed",
            "General Withdrawal": "payout",
        },
        "date": "Date",
        "currency": "Currency",
        "gross": "Gross",
        "fee": "Fee",
        "net": "Net",
        "fee_sign": "signed",
        "status": "Status",
        "statuses": ["Completed"],
    },
    "adyen": {
        "reference": ["Modification Reference", "Psp Reference"],
        "order_reference": "Merchant Reference",
        "kind": "Type",
        "kinds": {
            "Settled": "payment",
            "Refunded": "refund",
            "RefundedReversed": "refund_reversed",
            "Chargeback": "chargeback",
            "SecondChargeback": "chargeback",
            "ChargebackReversed": "chargeback_reversed",
            "Fee": "fee",
            "MerchantPayout": "payout",
        },
        "date": "Creation Date",
        "date_format": "%Y-%m-%d %H:%M:%S",
        "currency": "Gross Currency",
        "gross_debit": "Gross Debit (GC)",
        "gross_credit": "Gross Credit (GC)",
        "net_debit": "Net Debit (NC)",
        "net_credit": "Net Credit (NC)",
        "net_currency": "Net Currency",
        "payout": "Batch Number",
    },
    "klarna": {
        "reference": ["capture_id", "refund_id", "order_id"],
        "order_reference": "merchant_reference1",
        "kind": "type",
        "kinds": {
            "SALE": "payment",
            "RETURN": "refund",
            "REVERSAL": "chargeback",
            "FEE": "fee",
            "COMMISSION": "fee",
            "TAX": "fee",
        },
        "date": "sale_date",
        "currency": "currency_code",
        "gross": "amount",
        "sign": "by_kind",
        "payout": "payment_reference",
    },
}
# What the documentation leaves open, or each installation chooses.
_NOT_KNOWN = {
    "stripe": {"order_reference": 'the metadata column that holds the order number, "payment_metadata[...]"'},
    "paypal": {"date_format": "how the account writes dates, %d/%m/%Y or %m/%d/%Y"},
    "klarna": {"unit": "whether amounts of the file are major (19.99) or minor (1999) units"},
}
_NEEDED = ("reference", "order_reference", "kind", "kinds", "date", "currency")


class ProviderSettings(Section):
    """`[payments.providers.NAME]`: the folder NAME holds its files. With a preset only what differs is said."""

    preset: Preset | Literal[""] = Field(default="", description="the columns of a known provider's report")
    methods: list[str] = Field(default_factory=list, description="Magento's payment methods that it settles")
    reference: list[str] = Field(default_factory=list, description="columns of its own reference; the first filled one")
    order_reference: str = Field(default="", description="column that holds Magento's order number")
    kind: str = Field(default="", description="column that says what a row is")
    kinds: dict[str, Kind] = Field(default_factory=dict, description="its words and ours; any other word is other")
    date: str = Field(default="", description="column of the date")
    date_format: str = Field(default="", description="as Python's strptime has it; empty: ISO 8601")
    currency: str = Field(default="", description="column of the currency")
    zone: str = Field(default="", description="time zone of times that name none; empty: the preset's, else London's")
    gross: str = Field(default="", description="column of the gross amount")
    gross_debit: str = Field(default="", description="column of what was taken, where gross has two columns")
    gross_credit: str = Field(default="", description="column of what was given, where gross has two columns")
    fee: str = Field(default="", description="column of the fee; empty: gross less net")
    net: str = Field(default="", description="column of the net amount")
    net_debit: str = Field(default="", description="column of what was taken, where net has two columns")
    net_credit: str = Field(default="", description="column of what was given, where net has two columns")
    net_currency: str = Field(default="", description="column of the currency of the net amount")
    payout: str = Field(default="", description="column that names the payout")
    status: str = Field(default="", description="column of the state of a row")
    statuses: list[str] = Field(default_factory=list, description="states that count; rows in others are left out")
    delimiter: str = Field(default=",", min_length=1, max_length=1, description="between two cells")
    decimal_comma: bool = Field(default=False, description="true: amounts are written 1.234,56")
    fee_sign: FeeSign | None = Field(default=None, description="a fee of 1.00 stands as 1.00 (cost) or -1.00 (signed)")
    sign: SignRule | None = Field(default=None, description="amounts are signed as given, or by their kind")
    unit: Unit | None = Field(
        default=None,
        validate_default=True,
        description="major: 19.99, minor: 1999",
    )

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone and zone not in available_timezones():
            raise ValueError("is no time zone, for instance Europe/London")
        return zone

    @field_validator("unit")
    @classmethod
    def _complete(cls, unit: Unit | None, info: ValidationInfo) -> Unit | None:
        """Looked at with the last key: what the preset does not say must be said."""
        given = {**info.data, "unit": unit}
        preset = str(given.get("preset", ""))
        for name, meaning in _NOT_KNOWN.get(preset, {}).items():
            if not given.get(name):
                raise ValueError(f"{name} must be set for {preset}: {meaning}; {NO_DEFAULT}")
        whole = {**PRESETS.get(preset, {}), **{name: value for name, value in given.items() if value}}
        missing = [name for name in _NEEDED if not whole.get(name)]
        if not whole.get("gross") and not (whole.get("gross_debit") and whole.get("gross_credit")):
            missing.append("gross (or gross_debit and gross_credit)")
        if missing:
            raise ValueError(f"{', '.join(missing)} must be set, as preset {preset or 'is empty'}")
        return unit

    def form(self, name: str) -> SettlementFormat:
        """Return the map of columns of a provider: its preset, with what is set here put over it."""
        preset = PRESETS.get(self.preset, {})
        own = {key: value for key, value in self.model_dump(exclude={"preset"}).items() if value}
        whole: dict[str, Any] = {**preset, **own, "kinds": {**preset.get("kinds", {}), **self.kinds}}
        whole["reference"], whole["statuses"] = tuple(whole["reference"]), tuple(whole.get("statuses", ()))
        return SettlementFormat(**{**whole, "name": name, "methods": frozenset(self.methods)})


class PaymentSettings(Section):
    """`[payments]`: settlement files in `folder/<provider>/*.csv`; without a folder no money is compared."""

    folder: str = Field(default="", description="the folder with one folder for each provider; empty: none")
    lag_days: int = Field(default=5, ge=0, le=90, description="how long a settlement may still be on its way")
    providers: dict[str, ProviderSettings] = Field(default_factory=dict)

    @field_validator("providers")
    @classmethod
    def _one_for_a_method(cls, providers: dict[str, ProviderSettings]) -> dict[str, ProviderSettings]:
        named = [method for provider in providers.values() for method in provider.methods]
        twice = sorted({method for method in named if named.count(method) > 1})
        if twice:
            raise ValueError(f"a payment method is settled by one provider, but not so {', '.join(twice)}")
        wrong = sorted(name for name in providers if not name.replace("-", "").replace("_", "").isalnum())
        if wrong:
            raise ValueError(f"a provider is named by letters, digits, - and _, as its folder is: {', '.join(wrong)}")
        return providers

    def formats(self) -> list[SettlementFormat]:
        """Return the maps of all providers, by name."""
        return [provider.form(name) for name, provider in sorted(self.providers.items())]
