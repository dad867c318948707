"""`[prima.orders]`: how a Magento order is written as a PRIMA order."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from tasks.settings.prima.attributes import ConsentSettings, ConstantSettings
from tasks.settings.section import NO_DEFAULT, Section

AddressPart = Literal["street", "street1", "street2", "street3", "street4", "town", "county", "company"]
DateFormat = Literal["", "dd/mm/yyyy", "dd/mm/yy", "dd-mm-yyyy", "mm/dd/yyyy", "yyyy-mm-dd", "yyyymmdd"]
LINES = 6


class StockTupleSettings(Section):
    """PRIMA's five-part stock tuple."""

    product: str = Field(min_length=1, description="PRIMA's product code")
    mtrx1: str = ""
    mtrx2: str = ""
    mtrx3: str = ""
    mtrx4: str = ""


class PrimaOrderNumberSettings(Section):
    """PRIMA's order number: prefix, then the shop's own number."""

    number_digits_only: bool = Field(default=True, description="false: letters and hyphens may stand in the number")
    number_prefix: str = Field(
        pattern=r"^[A-Za-z0-9-]{0,6}$",
        description=f"digits put before the shop's number; '' for none; {NO_DEFAULT}",
    )
    number_from: Literal["entity_id", "increment_id"] = Field(
        default="entity_id", description="which number of the shop follows the prefix"
    )
    number_length: int = Field(
        default=8, ge=4, le=20, validate_default=True, description="digits of the whole number, zero-filled"
    )
    number_highest: int | None = Field(
        default=None,
        ge=1,
        description="highest number of the shop (entity id or increment id, as number_from says) that must ever fit",
    )

    @field_validator("number_prefix")
    @classmethod
    def _digits(cls, prefix: str, info: ValidationInfo) -> str:
        if info.data.get("number_digits_only", True) and prefix and not prefix.isdigit():
            raise ValueError("must be digits while number_digits_only is true")
        return prefix

    @field_validator("number_length")
    @classmethod
    def _room(cls, length: int, info: ValidationInfo) -> int:
        prefix = info.data.get("number_prefix", "")
        if len(prefix) >= length:
            raise ValueError(f"must be more than the {len(prefix)} digits of number_prefix: the order's own come after")
        return length

    @field_validator("number_highest")
    @classmethod
    def _fits(cls, highest: int | None, info: ValidationInfo) -> int | None:
        if highest is None or not {"number_prefix", "number_length"} <= info.data.keys():
            return highest
        room = info.data["number_length"] - len(info.data["number_prefix"])
        if len(str(highest)) > room:
            raise ValueError(
                f"does not fit: number_length leaves {room} digits after number_prefix, up to {10**room - 1}"
            )
        return highest


class PrimaOrderSettings(PrimaOrderNumberSettings):
    """`[prima.orders]`: how a Magento order is written as a PRIMA order.

    `number_prefix`, `price_meaning`, `vat_lock` and `delivery_as` have no default: a wrong guess corrupts values
    silently.
    """

    price_meaning: Literal["line_gross", "unit_gross", "line_net", "unit_net"] = Field(
        description=f"what PRIMA takes the Price of an order line for; {NO_DEFAULT}"
    )
    price_decimals: int = Field(
        default=2, ge=2, le=6, description="decimals of Price; more than 2 lets more unit prices come out exactly"
    )
    discount_in: Literal["price", "promotion_value", "tr_disc"] = Field(
        default="price",
        description="price: Price is what was paid; else Price is before the discount, and the discount of the line "
        "stands in PromotionValue or TrDisc as an amount",
    )
    vat_lock: Literal["ext_tax_val", "none"] = Field(
        description="where Magento's VAT is locked: ExtTaxVal of each line, or nowhere (PRIMA calculates); "
        + NO_DEFAULT
    )
    delivery_as: Literal["charge", "line"] = Field(
        description="delivery as OrderChargeData (PRIMA works out its VAT) or as an order line with locked VAT; "
        + NO_DEFAULT
    )
    delivery_product: StockTupleSettings | None = Field(
        default=None,
        validate_default=True,
        description="the stock tuple of the delivery line, when delivery_as is line",
    )
    rounding_product: StockTupleSettings | None = Field(
        default=None,
        description="the stock tuple of the line that takes what Magento shows too much of a line whose discount is "
        "larger than its price; without it such an order is held",
    )
    vat_inclusive: bool = Field(default=True, description="VatInclusive; must agree with PRIMA's price book (E:548)")
    send_zero_charge: bool = Field(default=True, description="send OrderChargeData when delivery is free")
    send_empty_attributes: bool = Field(default=True, description="false: only filled attributes are written")
    unique_id: Literal["random", "order_number"] = Field(
        default="random", description="UniqueId: eight random digits for each attempt, or PRIMA's order number"
    )
    tpguid: Literal["order_number", "shop_number", "unique_id", "uuid"] = Field(
        default="order_number",
        description="TPGUID: PRIMA's order number, the shop's order number, the UniqueId, or a UUID made of the number",
    )
    customer: Literal["new", "reuse"] = Field(
        default="new",
        description="new: PRIMA makes a customer for each order; reuse: Customer is the code that PRIMA gave an "
        "earlier order of the same Magento account; guests are always new",
    )
    duplicate: Literal["verify", "refuse"] = Field(
        default="verify",
        description="E:21 on an order that may have arrived before: verify = look, then take it for accepted; refuse = "
        "always an exception for a person",
    )
    several_payments: bool = Field(
        default=False,
        description="send one OrderPaymentData for each means of payment; PRIMA was only seen to take one",
    )
    hold_orders: bool = Field(default=False, description="HoldOrder: everything arrives held in PRIMA")
    order_channel: str = Field(default="MailOrder", description="OrderChannel, unless the store names its own")
    brand: str = Field(default="", description="Brand, unless the store names its own")
    source_media: str = Field(default="", description="SourceMedia")
    season: str = Field(default="", description="Season")
    order_type: str = Field(default="", description="OrderType")
    warehouse: str = Field(default="", description="Warehouse of each line")
    send_currency: Literal["foreign", "always", "never"] = Field(
        default="foreign", description="which orders fill Currency; foreign: those in another than home_currency"
    )
    home_currency: str = Field(default="GBP", pattern=r"^[A-Z]{3}$", description="the currency that PRIMA assumes")
    order_date_format: DateFormat = Field(default="", description="how OrderDate is written; empty = not sent")
    due_date_format: DateFormat = Field(default="", description="how DueDate of each line is written; empty = not sent")
    due_in_days: int = Field(default=0, ge=0, le=365, description="DueDate is so many days after the order was placed")
    address_lines: list[AddressPart] = Field(
        default=["street", "town", "county"],
        min_length=1,
        max_length=LINES,
        description="what stands in AddrLine1, AddrLine2 ...; street = all street lines joined, the last streetN takes "
        "those that are left",
    )
    address_line_length: int = Field(default=80, ge=10, description="characters of an address line; a cut is reported")
    name_length: int = Field(default=30, ge=5, description="characters of a forename or surname; a cut is reported")
    note_length: int = Field(default=200, ge=0, description="characters of the customer's note; a cut is reported")
    country_codes: dict[str, str] = Field(
        default_factory=dict, description="PRIMA's country codes where they are not ISO 3166, such as IM = 'GB'"
    )
    company_to: Literal["", "fao"] = Field(
        default="",
        description="fao: company names go to DeliveryFAO and InvoiceFAO; empty: left out with a warning, unless "
        "address_lines has company",
    )
    vat_number_to: Literal["", "CustomerRef", "WorksNo", "WREmpRef1", "WROrdRef1"] = Field(
        default="", description="attribute of Data that takes the customer's VAT number; empty = left out"
    )
    phone_to: Literal["phone", "mobile", "both"] = Field(
        default="phone", description="telephone numbers go to CustomerPhone and InvoicePhone, to ...Mobile, or to both"
    )
    consent: ConsentSettings = ConsentSettings()
    constants: ConstantSettings = ConstantSettings()

    @field_validator("delivery_product")
    @classmethod
    def _product_of_line(cls, product: StockTupleSettings | None, info: ValidationInfo) -> StockTupleSettings | None:
        if product is None and info.data.get("delivery_as") == "line":
            raise ValueError("is needed when delivery_as is line: { product = ... }, the item that stands for delivery")
        return product

    @field_validator("address_lines")
    @classmethod
    def _holds_the_address(cls, lines: list[AddressPart]) -> list[AddressPart]:
        twice = sorted({part for part in lines if lines.count(part) > 1})
        if twice:
            raise ValueError(f"each part may stand once, but not so {', '.join(twice)}")
        streets = [part for part in lines if part.startswith("street")]
        if not streets or ("street" in streets and len(streets) > 1):
            raise ValueError("must have street, or street1, street2 ..., and not both")
        if "street" not in streets and sorted(streets) != [f"street{number + 1}" for number in range(len(streets))]:
            raise ValueError("must number its street lines from street1 on, without a gap")
        if "town" not in lines:
            raise ValueError("must have town")
        return lines

    @field_validator("constants")
    @classmethod
    def _no_constant_twice(cls, constants: ConstantSettings, info: ValidationInfo) -> ConstantSettings:
        taken = info.data.get("vat_number_to", "")
        if taken and taken in constants.order:
            raise ValueError(f"order.{taken} takes the VAT number (vat_number_to)")
        return constants
