"""A sales order as PRIMA's order document: one order a request, children in the order that PRIMA was seen to take.

Layout of addresses as one real installation has it: AddrLine1 = street lines joined by a space, AddrLine2 = town,
AddrLine3 = county. E-mail and telephone are the invoice address's, as there.
"""

from dataclasses import dataclass, field

from lxml import etree

from schemas.documents import Address, SalesOrder, SalesOrderLine, StockTuple
from schemas.money import pounds_text
from tasks.errors import CallRefusedError
from tasks.settings import PrimaSettings, StockTupleSettings
from tasks.systems.prima import documents, order_attributes
from tasks.systems.prima.text import UnsendableCharacterError, clean, is_plain_code


@dataclass
class OrderWriter:
    """Writes one order; afterwards `warnings` holds a sentence for each thing that was cut or left out."""

    settings: PrimaSettings
    order: SalesOrder
    request_type: str
    unique_id: str
    warnings: list[str] = field(default_factory=list)

    def root(self) -> etree._Element:
        """Return the `Request` element; raises CallRefusedError (with `code`) for an order that cannot be sent."""
        self._check_totals()
        root = documents.request(self.request_type)
        data = self._element(root, "Data", order_attributes.ORDER, self._order_values())
        self._element(data, "OrderHeaderData", order_attributes.HEADER, self._header_values())
        self._element(data, "OrderInvoiceData", order_attributes.INVOICE, self._invoice_values())
        for line in self._lines():
            self._element(data, "OrderLineData", order_attributes.LINE, self._line_values(line))
        charge = self._charge_values()
        if charge:
            self._element(data, "OrderChargeData", order_attributes.CHARGE, charge)
        self._element(data, "OrderPaymentData", order_attributes.PAYMENT, self._payment_values())
        return root

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
                "CHARACTER_REJECTED",
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
        element = etree.SubElement(parent, tag)
        for name in names:
            value = values.get(name, "")
            if value or self.settings.orders.send_empty_attributes or name in order_attributes.ALWAYS_WRITTEN:
                element.set(name, value)
        return element

    def _order_values(self) -> dict[str, str]:
        order, rules = self.order, self.settings.orders
        number = self._code("OrderNumber", order.order_number_prima)
        is_held = order.is_held or rules.hold_orders
        return {
            "UniqueId": self.unique_id,
            "TPGUID": number,
            "OrderNumber": number,
            "HoldOrder": _yes(is_held),
            "HoldOrderNarrative": self._text("HoldOrderNarrative", order.hold_reason if is_held else ""),
            "OrderChannel": self._text("OrderChannel", order.channel or rules.order_channel),
            **self._address("delivery", "", order.delivery_address),
            "CustomerEmail": self._text("invoice e-mail", order.invoice_address.email),
            "CustomerPhone": self._text("invoice telephone", order.invoice_address.phone),
            "VatInclusive": _yes(rules.vat_inclusive),
            "ReceiveMail": "No",
            "ReceiveEmail": "No",
            "ReceiveText": "No",
            "ReceivePhone": "No",
            "ReceiveMobile": "No",
            "RentDetails": "No",
        }

    def _address(self, whose: str, prefix: str, address: Address) -> dict[str, str]:
        """Return name and address; `prefix` is `Invoice` for the invoice address, whose names are shorter."""
        rules = self.settings.orders
        person = prefix or "Customer"
        if address.company.strip():
            self._warn(f"{whose} company name was not sent: PRIMA has no known place for it.")
        lines = {
            "AddrLine1": (" ".join(part.strip() for part in address.street if part.strip()), "street"),
            "AddrLine2": (address.town, "town"),
            "AddrLine3": (address.county, "county"),
        }
        return {
            f"{person}Forename": self._text(f"{whose} forename", address.forename, rules.name_length),
            f"{person}Surname": self._text(f"{whose} surname", address.surname, rules.name_length),
            **{
                prefix + name: self._text(f"{whose} {meaning}", value, rules.address_line_length)
                for name, (value, meaning) in lines.items()
            },
            f"{prefix}PostCode": self._text(f"{whose} postcode", address.postcode),
            f"{prefix}Country": self._text(f"{whose} country", address.country),
        }

    def _header_values(self) -> dict[str, str]:
        order, rules = self.order, self.settings.orders
        return {
            "OrderCategory": self._text("OrderCategory", order.payment.order_category),
            "SpecialInstructions": self._text("note", order.note, rules.note_length),
            "Carrier": self._text("Carrier", order.carrier),
            "CarrServ": self._text("CarrServ", order.service),
            "Currency": self._text("Currency", order.currency) if rules.send_currency else "",
            "Brand": self._text("Brand", order.brand),
        }

    def _invoice_values(self) -> dict[str, str]:
        address = self.order.invoice_address
        return {
            **self._address("invoice", "Invoice", address),
            "InvoiceEmail": self._text("invoice e-mail", address.email),
            "InvoicePhone": self._text("invoice telephone", address.phone),
        }

    def _lines(self) -> list[SalesOrderLine]:
        """Return the order's lines, and delivery as the last of them where the settings want it there."""
        order, rules = self.order, self.settings.orders
        lines = list(order.lines)
        amounts = (order.delivery_net_pence, order.delivery_vat_pence, order.delivery_gross_pence)
        if rules.delivery_as == "line" and rules.delivery_product is not None and any(amounts):
            number = max(line.line_number for line in lines) + 1
            lines.append(SalesOrderLine(number, 0, "", _stock_tuple(rules.delivery_product), 1, *amounts))
        return lines

    def _line_values(self, line: SalesOrderLine) -> dict[str, str]:
        item = line.item
        locks_vat = self.settings.orders.vat_lock == "ext_tax_val"
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
        }

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
        if meaning.startswith("line"):
            return pounds_text(pence)
        each, rest = divmod(pence, line.quantity)
        if rest:
            raise self._refused(
                "PRICE_NOT_DIVISIBLE",
                f"line {line.line_number}: {pounds_text(pence)} for {line.quantity} units is no whole number of pence "
                f"a unit, and prima.orders.price_meaning is {meaning}",
                "Enter the order in PRIMA by hand, or use a price meaning of the line.",
            )
        return pounds_text(each)

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

    def _payment_values(self) -> dict[str, str]:
        payment, number = self.order.payment, self.order.order_number_prima
        return {
            "PayMethod": self._text("PayMethod", payment.pay_method),
            "SubPayMethod": self._text("SubPayMethod", payment.sub_pay_method),
            "TranAmount": pounds_text(self.order.gross_pence),
            "PayProvider": self._text("PayProvider", payment.pay_provider),
            "PayAuthRef": number,
            "PayAuthId": number,
            "LineRef": number,
            "TransactionID": self._text("TransactionID", payment.transaction_id),
        }


def _yes(value: bool) -> str:
    return "Yes" if value else "No"


def _stock_tuple(settings: StockTupleSettings) -> StockTuple:
    return StockTuple(settings.product, settings.mtrx1, settings.mtrx2, settings.mtrx3, settings.mtrx4)
