"""How one PRIMA installation differs from the next: everything about the stand-in that a test may want otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

SoapStyle = Literal["rpc_literal", "rpc_encoded", "document_wrapped"]
PriceMeaning = Literal["line_gross", "unit_gross", "line_net", "unit_net"]
VatHabit = Literal["locked", "recalculated"]

DELIVERY = "DELIVERY"
ROUNDING = "ROUNDING"
"""Product code of the service item that always exists: delivery sent as an order line."""

VAT_CODES: Mapping[str, Decimal] = {"S": Decimal(20), "R": Decimal(5), "Z": Decimal(0)}
"""VAT codes of items and their rates in the United Kingdom, in per cent."""

NO_RATE = Decimal(0)


def _destination_rates() -> dict[str, dict[str, Decimal]]:
    home = dict(VAT_CODES)
    return {
        "GB": home,
        "IM": home,
        "IE": {"S": Decimal(23), "R": Decimal("13.5"), "Z": Decimal(0)},
        "DE": {"S": Decimal(19), "R": Decimal(7), "Z": Decimal(19)},
        "FR": {"S": Decimal(20), "R": Decimal("5.5"), "Z": Decimal(20)},
    }


@dataclass
class StandInSettings:
    """Settings of a stand-in; they may be changed while it runs.

    What the reference of the web service calls unknown has a setting here, and its default is an assumption.
    """

    # The wire.
    style: SoapStyle = "rpc_literal"
    app_object: str = "omlink"
    target_uri: str = "urn:omlink"
    request_part: str = "xmlIn"
    company_part: str = "companyId"
    answer_part: str = "xmlOut"
    soap_action: str = ""
    demands_soap_action: str | None = None  # calls with any other SOAPAction end in a fault
    demands_headers: Mapping[str, str] = field(default_factory=dict)  # HTTP headers without which nobody is let in
    hides_wsdl: bool = False  # the WSDL is not served
    company_comes: Literal["first", "last"] = "first"  # place of the company id among the parts
    request_names: Mapping[str, str] = field(default_factory=dict)  # known request type to this installation's name
    wsdl_address: str = ""  # the POST address that the WSDL names; empty = the right one
    demands_xsi_type: bool = False  # a strict encoded server
    basic_auth: tuple[str, str] | None = None  # user and password that the servlet engine asks for
    longest_request: int | None = None  # characters that the input parameter holds
    companies: tuple[str, ...] = ("1",)  # the first one is the default company
    dev_mode: bool = False  # stack traces inside error texts
    outside_latin1: Literal["question_mark", "refuse"] = "question_mark"  # characters the code page does not know

    # Orders.
    price_meaning: PriceMeaning = "line_gross"
    vat_inclusive: bool = True  # of the price book; an order that says otherwise is refused with E:548
    net_price_books: frozenset[str] = frozenset()  # SKUs whose price book is without VAT, whatever the others are
    drops_bad_lines: bool = False  # an order with good and bad lines is taken without the bad ones
    charge_codes: frozenset[str] | None = None  # None = any code is known
    not_found_text: str = "(E:22) Sales Order Header does not exist with Order Number equal to"
    discount_attribute: Literal["", "PromotionValue", "TrDisc"] = ""  # an amount that is taken off a line's Price
    tells_tracking: Literal["no", "status", "request"] = "no"  # parcels in OrderStatus, or asked for by themselves
    despatch_request: str = "DespatchStatus"  # the request type that tells them (the stand-in's own)
    destination_rates: Mapping[str, Mapping[str, Decimal]] = field(default_factory=_destination_rates)
    charge_vat_countries: tuple[str, ...] = ("GB", "IM")  # elsewhere a delivery charge carries no VAT

    # Stock.
    unknown_sku: Literal["missing", "zero", "error"] = "missing"  # in MultiAvailableToSell

    # Finance.
    vat_habit: VatHabit = "locked"
    invoices_on_dispatch: bool = True

    def rate_of(self, vat_code: str, country: str) -> Decimal:
        """Return the VAT rate in per cent of a code at a destination; 0 where no rate is set up."""
        return self.destination_rates.get(country, {}).get(vat_code, NO_RATE)

    def charge_rate(self, country: str) -> Decimal:
        """Return the VAT rate in per cent of a delivery charge at a destination."""
        return self.rate_of("S", country) if country in self.charge_vat_countries else NO_RATE
