"""A sales order as PRIMA's order document: one order a request, children in the order that PRIMA was seen to take.

Layout of addresses unless `prima.orders.address_lines` says otherwise, as one real installation has it: AddrLine1 =
street lines joined by a space, AddrLine2 = town, AddrLine3 = county. E-mail and telephone are the invoice address's, as
there.
"""

import uuid
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from lxml import etree

from schemas import prima_order
from schemas.documents import Address, Payment, SalesOrder, SalesOrderLine, StockTuple, Tender
from schemas.money import pounds_text
from tasks.errors import CallRefusedError
from tasks.settings import PrimaSettings, StockTupleSettings
from tasks.systems.prima import documents
from tasks.systems.prima.text import UnsendableCharacterError, clean, is_plain_code

_DATES = {
    "dd/mm/yyyy": "%d/%m/%Y",
    "dd/mm/yy": "%d/%m/%y",
    "dd-mm-yyyy": "%d-%m-%Y",
    "mm/dd/yyyy": "%m/%d/%Y",
    "yyyy-mm-dd": "%Y-%m-%d",
    "yyyymmdd": "%Y%m%d",
}
# Makes the same UUID of the same order number, whichever machine sends it.
_ORDERS = uuid.uuid5(uuid.NAMESPACE_URL, "urn:magento-prima:sales-order")
_DISCOUNT_ATTRIBUTE = {"promotion_value": "PromotionValue", "tr_disc": "TrDisc"}


@dataclass
class OrderWriter:
    """Writes one order; afterwards `warnings` holds a sentence for each thing that was cut or left out.

    `customer_code` is PRIMA's code of a customer that exists; empty asks for a new one.
    """

    settings: PrimaSettings
    order: SalesOrder
    request_type: str
    unique_id: str
    customer_code: str = ""
    warnings: list[str] = field(default_factory=list)

    def root(self) -> etree._Element:
        """Return the `Request` element; raises CallRefusedError (with `code`) for an order that cannot be sent."""
        self._check_totals()
        root = documents.request(self.request_type)
        always = self.settings.orders.constants
        data = self._element(root, "Data", prima_order.ORDER, always.order | self._order_values())
        self._element(data, "OrderHeaderData", prima_order.HEADER, always.header | self._header_values())
        self._element(data, "OrderInvoiceData", prima_order.INVOICE, always.invoice | self._invoice_values())
        for line in self._lines():
            self._element(data, "OrderLineData", prima_order.LINE, always.line | self._line_values(line))
        charge = self._charge_values()
        if charge:
            self._element(data, "OrderChargeData", prima_order.CHARGE, charge)
        for payment in self._payments():
            self._element(data, "OrderPaymentData", prima_order.PAYMENT, always.payment | payment)
        if self.warnings:
            self._act_on_cuts(data)
        return root

    def _act_on_cuts(self, data: etree._Element) -> None:
        """Refuse an order whose texts were cut, or put it on hold in PRIMA, where the settings want that."""
        cuts = " ".join(self.warnings)
        if self.order.if_cut == "hold":
            raise self._refused("TEXT_CUT", cuts.rstrip("."), "Shorten it in Magento, or release the order.")
        if self.order.if_cut == "hold_in_prima":
            reasons = [self.order.hold_reason, f"TEXT_CUT: {cuts}"]
            data.set("HoldOrder", "Yes")
            data.set("HoldOrderNarrative", self._text("HoldOrderNarrative", "; ".join(filter(None, reasons))))

    def _refused(self, code: str, message: str, next_step: str = "") -> CallRefusedError:
        return CallRefusedError(
            f"{message}.",
            system="PRIMA",
            operation=self.request_type,
            reference=self.order.order_number,
            next_step=next_step,
            code=code,
        )

    def _check_totals(self) -> None:
        order = self.order
        if not order.order_number_prima:
            raise self._refused("ORDER_NUMBER_UNFIT", "the order has no number for PRIMA")
        if not order.lines:
            raise self._refused("NO_LINES", "the order has no lines")
        amounts = [(line.net_pence, line.vat_pence, line.gross_pence) for line in order.lines]
        amounts.append((order.delivery_net_pence, order.delivery_vat_pence, order.delivery_gross_pence))
        amounts.append((order.rounding_pence, 0, order.rounding_pence))
        total = (order.net_pence, order.vat_pence, order.gross_pence)
        is_added_up = tuple(sum(column) for column in zip(*amounts, strict=True)) == total
        if not is_added_up or any(net + vat != gross for net, vat, gross in [*amounts, total]):
            raise self._refused("TOTALS_DISAGREE", "lines and delivery do not add up to the order's total")

    def _warn(self, sentence: str) -> None:
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def _text(self, name: str, value: str, limit: int | None = None) -> str:
        """Return a value by the character policy and no longer than its limit; a cut leaves a warning."""
        try:
            cleaned = clean(value, self.settings.character_policy)
        except UnsendableCharacterError as error:
            raise self._refused(
                "TEXT_UNSENDABLE",
                f"{name} cannot be sent: {error}",
                "Correct it in Magento, or set prima.character_policy to transliterate.",
            ) from error
        if cleaned.lost:
            self._warn(f"{name}: {cleaned.lost} character(s) without an equivalent were left out.")
        if limit is None or len(cleaned.text) <= limit:
            return cleaned.text
        self._warn(f"{name} was cut from {len(cleaned.text)} to {limit} characters.")
        return cleaned.text[:limit].rstrip()

    def _element(
        self, parent: etree._Element, tag: str, names: tuple[str, ...], values: dict[str, str]
    ) -> etree._Element:
        unknown = values.keys() - set(names)
        if unknown:
            raise KeyError(f"{tag} has no attribute {', '.join(sorted(unknown))}")
        if not self.settings.orders.send_empty_attributes:
            names = tuple(name for name in names if values.get(name) or name in prima_order.ALWAYS_WRITTEN)
        return etree.SubElement(parent, tag, {name: values.get(name, "") for name in names})

    def _order_values(self) -> dict[str, str]:
        order, rules = self.order, self.settings.orders
        number = self._code("OrderNumber", order.order_number_prima)
        is_held = order.is_held or rules.hold_orders
        return {
            "UniqueId": self.unique_id,
            "Customer": self._code("Customer", self.customer_code),
            "TPGUID": self._tpguid(number),
            "OrderNumber": number,
            "HoldOrder": _yes(is_held),
            "HoldOrderNarrative": self._text("HoldOrderNarrative", order.hold_reason if is_held else ""),
            "OrderChannel": self._text("OrderChannel", order.channel or rules.order_channel),
            "OrderType": self._text("OrderType", rules.order_type),
            **self._address("delivery", "", order.delivery_address),
            "CustomerEmail": self._text("invoice e-mail", order.invoice_address.email),
            **self._phone("Customer", order.invoice_address.phone),
            **self._vat_number(order.invoice_address.vat_number),
            "VatInclusive": _yes(rules.vat_inclusive),
            "ReceiveMail": _yes(rules.consent.receive_mail),
            "ReceiveEmail": _yes(rules.consent.receive_email),
            "ReceiveText": _yes(rules.consent.receive_text),
            "ReceivePhone": _yes(rules.consent.receive_phone),
            "ReceiveMobile": _yes(rules.consent.receive_mobile),
            "RentDetails": _yes(rules.consent.rent_details),
        }

    def _tpguid(self, number: str) -> str:
        content = self.settings.orders.tpguid
        if content == "shop_number":
            return self._code("TPGUID", self.order.order_number)
        if content == "unique_id":
            return self.unique_id
        return str(uuid.uuid5(_ORDERS, number)) if content == "uuid" else number

    def _phone(self, person: str, phone: str) -> dict[str, str]:
        """Return the telephone number in the attributes that the settings name."""
        names = {"phone": ("Phone",), "mobile": ("Mobile",), "both": ("Phone", "Mobile")}
        text = self._text("invoice telephone", phone)
        return {f"{person}{name}": text for name in names[self.settings.orders.phone_to]}

    def _vat_number(self, vat_number: str) -> dict[str, str]:
        name = self.settings.orders.vat_number_to
        return {name: self._text("VAT number", vat_number)} if name and vat_number.strip() else {}

    def _address(self, whose: str, prefix: str, address: Address) -> dict[str, str]:
        """Return name and address; `prefix` is `Invoice` for the invoice address, whose names are shorter."""
        rules = self.settings.orders
        person = prefix or "Customer"
        country = rules.country_codes.get(address.country, address.country)
        values = {
            f"{person}Forename": self._text(f"{whose} forename", address.forename, rules.name_length),
            f"{person}Surname": self._text(f"{whose} surname", address.surname, rules.name_length),
            f"{prefix}PostCode": self._text(f"{whose} postcode", address.postcode),
            f"{prefix}Country": self._text(f"{whose} country", country),
        }
        for position, part in enumerate(rules.address_lines, start=1):
            text = self._text(f"{whose} {part}", self._part(part, address), rules.address_line_length)
            values[f"{prefix}AddrLine{position}"] = text
        if rules.company_to == "fao":
            name = f"{prefix or 'Delivery'}FAO"
            values[name] = self._text(f"{whose} company name", address.company, rules.address_line_length)
        elif address.company.strip() and "company" not in rules.address_lines:
            self._warn(f"{whose} company name was not sent: prima.orders.company_to names no place for it.")
        return values

    def _part(self, part: str, address: Address) -> str:
        """Return what an address line holds; the last of several street lines takes all that are left."""
        street = [line.strip() for line in address.street if line.strip()]
        if part == "street":
            return " ".join(street)
        if part.startswith("street"):
            number = int(part.removeprefix("street"))
            last = sum(each.startswith("street") for each in self.settings.orders.address_lines)
            return " ".join(street[number - 1 :] if number == last else street[number - 1 : number])
        return {"town": address.town, "county": address.county, "company": address.company}[part]

    def _header_values(self) -> dict[str, str]:
        order, rules = self.order, self.settings.orders
        return {
            "OrderCategory": self._text("OrderCategory", order.payment.order_category),
            "SpecialInstructions": self._text("note", order.note, rules.note_length),
            "Carrier": self._text("Carrier", order.carrier),
            "CarrServ": self._text("CarrServ", order.service),
            "Currency": self._currency(),
            "OrderDate": self._date(rules.order_date_format, order.placed_on),
            "Brand": self._text("Brand", order.brand or rules.brand),
            "SourceMedia": self._text("SourceMedia", rules.source_media),
            "Season": self._text("Season", rules.season),
        }

    def _currency(self) -> str:
        rules, currency = self.settings.orders, self.order.currency
        is_sent = rules.send_currency == "always" or (
            rules.send_currency == "foreign" and currency != rules.home_currency
        )
        return self._text("Currency", currency) if is_sent else ""

    @staticmethod
    def _date(form: str, day: date | None) -> str:
        """Return a date as the settings write it; empty where they name no form."""
        return day.strftime(_DATES[form]) if form and day is not None else ""

    def _invoice_values(self) -> dict[str, str]:
        address = self.order.invoice_address
        return {
            **self._address("invoice", "Invoice", address),
            "InvoiceEmail": self._text("invoice e-mail", address.email),
            **self._phone("Invoice", address.phone),
        }

    def _lines(self) -> list[SalesOrderLine]:
        """Return the order's lines, then delivery and rounding where the settings want them there."""
        order, rules = self.order, self.settings.orders
        lines = list(order.lines)
        amounts = (order.delivery_net_pence, order.delivery_vat_pence, order.delivery_gross_pence)
        if rules.delivery_as == "line" and rules.delivery_product is not None and any(amounts):
            number = max(line.line_number for line in lines) + 1
            lines.append(SalesOrderLine(number, 0, "", _stock_tuple(rules.delivery_product), 1, *amounts))
        if order.rounding_pence:
            if rules.rounding_product is None:
                raise self._refused("TOTALS_DISAGREE", "prima.orders.rounding_product names no line for the rounding")
            number = max(line.line_number for line in lines) + 1
            pence = order.rounding_pence
            lines.append(SalesOrderLine(number, 0, "", _stock_tuple(rules.rounding_product), 1, pence, 0, pence))
        return lines

    def _line_values(self, line: SalesOrderLine) -> dict[str, str]:
        item, rules = line.item, self.settings.orders
        locks_vat = rules.vat_lock == "ext_tax_val"
        placed_on = self.order.placed_on
        due_on = placed_on + timedelta(days=rules.due_in_days) if placed_on else None
        return {
            "OrderLine": str(line.line_number),
            "Product": self._code("Product", item.product),
            "MtrxCode1": self._code("MtrxCode1", item.mtrx1),
            "MtrxCode2": self._code("MtrxCode2", item.mtrx2),
            "MtrxCode3": self._code("MtrxCode3", item.mtrx3),
            "MtrxCode4": self._code("MtrxCode4", item.mtrx4),
            "Quantity": str(line.quantity),
            "Price": self._price(line),
            "ExtTaxVal": pounds_text(line.vat_pence) if locks_vat else "",
            "Voucher": "No",
            "DueDate": self._date(rules.due_date_format, due_on),
            "Warehouse": self._text("Warehouse", rules.warehouse),
            **self._discount_values(line),
        }

    def _discount(self, line: SalesOrderLine) -> int:
        """Return the discount of a whole line that Price leaves in, in pence: net or gross, as Price is."""
        rules = self.settings.orders
        if rules.discount_in == "price":
            return 0
        return line.discount_gross_pence if rules.price_meaning.endswith("gross") else line.discount_net_pence

    def _discount_values(self, line: SalesOrderLine) -> dict[str, str]:
        discount = self._discount(line)
        return {_DISCOUNT_ATTRIBUTE[self.settings.orders.discount_in]: pounds_text(discount)} if discount else {}

    def _code(self, name: str, code: str) -> str:
        """Return a code as it is: one that would have to be changed to be sent is another code."""
        if not is_plain_code(code):
            raise self._refused("CHARACTER_REJECTED", f"{name} {code!r} holds characters that a code cannot have")
        return code

    def _price(self, line: SalesOrderLine) -> str:
        meaning = self.settings.orders.price_meaning
        if line.quantity < 1:
            raise self._refused("QUANTITY", f"line {line.line_number} has the quantity {line.quantity}")
        pence = line.gross_pence if meaning.endswith("gross") else line.net_pence
        pence += self._discount(line)
        decimals = self.settings.orders.price_decimals
        parts = pence * 10 ** (decimals - 2)
        each, rest = divmod(parts, line.quantity) if meaning.startswith("unit") else (parts, 0)
        if rest:
            raise self._refused(
                "PRICE_NOT_DIVISIBLE",
                f"line {line.line_number}: {pounds_text(pence)} for {line.quantity} units is no price a unit of "
                f"{decimals} decimals, and prima.orders.price_meaning is {meaning}",
                "Enter it in PRIMA by hand, use a price meaning of the line, or more prima.orders.price_decimals.",
            )
        return f"{Decimal(each).scaleb(-decimals):f}"

    def _charge_values(self) -> dict[str, str]:
        order, rules = self.order, self.settings.orders
        pence = 0 if rules.delivery_as == "line" else order.delivery_gross_pence
        if not pence and not rules.send_zero_charge:
            return {}
        if pence and not order.delivery_charge_code:
            raise self._refused("DELIVERY_UNMAPPED", "delivery is charged, but no charge code of PRIMA is given")
        return {
            "Charge": self._text("Charge", order.delivery_charge_code),
            "ChargeValue": pounds_text(pence),
        }

    def _payments(self) -> list[dict[str, str]]:
        """Return what the payment method was charged, then what each tender paid; together they are the total."""
        order, payment = self.order, self.order.payment
        if order.charged_pence < 0 or any(tender.amount_pence <= 0 for tender in order.tenders):
            raise self._refused("TOTALS_DISAGREE", "gift card, store credit and reward points exceed the order's total")
        payments = [self._payment(tender, tender.amount_pence, "") for tender in order.tenders]
        if order.charged_pence or not payments:
            payments.insert(0, self._payment(payment, order.charged_pence, payment.transaction_id))
        return payments

    def _payment(self, codes: Payment | Tender, pence: int, transaction_id: str) -> dict[str, str]:
        number = self.order.order_number_prima
        return {
            "PayMethod": self._text("PayMethod", codes.pay_method),
            "SubPayMethod": self._text("SubPayMethod", codes.sub_pay_method),
            "TranAmount": pounds_text(pence),
            "PayProvider": self._text("PayProvider", codes.pay_provider),
            "PayAuthRef": number,
            "PayAuthId": number,
            "LineRef": number,
            "TransactionID": self._text("TransactionID", transaction_id),
        }


def _yes(value: bool) -> str:
    return "Yes" if value else "No"


def _stock_tuple(settings: StockTupleSettings) -> StockTuple:
    return StockTuple(settings.product, settings.mtrx1, settings.mtrx2, settings.mtrx3, settings.mtrx4)
