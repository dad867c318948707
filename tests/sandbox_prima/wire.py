"""Calls to the stand-in as any SOAP client would make them: envelopes by hand, over HTTP."""

from dataclasses import dataclass, field

import httpx
from lxml import etree

from sandbox.prima import PrimaStandIn

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
OMLINK = "urn:omlink"
HEADERS = {"content-type": "text/xml; charset=utf-8", "soapaction": '""'}


def envelope(document: str, *, part: str = "xmlIn", company: str | None = None) -> bytes:
    """Return the RPC envelope of a call: wsomhandler, or comwsomhandler when a company is given."""
    root = etree.Element(f"{{{ENVELOPE}}}Envelope")
    body = etree.SubElement(root, f"{{{ENVELOPE}}}Body")
    operation = "wsomhandler" if company is None else "comwsomhandler"
    wrapper = etree.SubElement(body, f"{{{OMLINK}}}{operation}")
    if company is not None:
        etree.SubElement(wrapper, "companyId").text = company
    etree.SubElement(wrapper, part).text = document
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def post(prima: PrimaStandIn, document: str, **differences: str) -> httpx.Response:
    """POST a request document and return the HTTP answer."""
    return httpx.post(prima.url, content=envelope(document, **differences), headers=HEADERS, timeout=60)


def text_of(answer: httpx.Response) -> str:
    """Return the inner answer document of a SOAP answer: the only child of the response element."""
    assert answer.status_code == 200, answer.text
    [response] = etree.fromstring(answer.content, etree.XMLParser(huge_tree=True)).find(f"{{{ENVELOPE}}}Body")
    [part] = response
    return part.text or ""


def ask(prima: PrimaStandIn, document: str, **differences: str) -> etree._Element:
    """POST a request document and return the root of the inner answer."""
    return etree.fromstring(text_of(post(prima, document, **differences)).encode("latin-1"))


def request(request_type: str, *data: etree._Element) -> str:
    """Return a request document with its Data elements."""
    root = etree.Element("Request", RequestType=request_type)
    root.extend(data)
    return '<?xml version="1.0"?>' + etree.tostring(root, encoding="unicode")


def status(number: str) -> str:
    """Return an OrderStatus request."""
    return request("OrderStatus", etree.Element("Data", OrderNumber=number))


def stock_range(product_from: str = "", product_to: str = "") -> str:
    """Return a ProductAvailableToSell request."""
    return request(
        "ProductAvailableToSell", etree.Element("Data", {"ProductFrom": product_from, "ProductTo": product_to})
    )


def stock_list(*codes: tuple[str, str, str]) -> str:
    """Return a MultiAvailableToSell request for (Product, MtrxCode1, MtrxCode2) tuples."""
    data = etree.Element("Data")
    for product, one, two in codes:
        etree.SubElement(
            data,
            "sku",
            {"Product": product, "MtrxCode1": one, "MtrxCode2": two, "MtrxCode3": "", "MtrxCode4": ""},
        )
    return request("MultiAvailableToSell", data)


@dataclass
class Line:
    """An order line: three Harbour boots for 59.97 unless said otherwise."""

    product: str = "HARBRN"
    mtrx1: str = "F"
    mtrx2: str = "075"
    quantity: str = "3"
    price: str = "59.97"
    locked_vat: str = "9.99"


@dataclass
class Order:
    """An order of one line with delivery of 3.95 to England unless said otherwise."""

    number: str = "30000042"
    lines: list[Line] = field(default_factory=lambda: [Line()])
    delivery: str = "3.95"
    country: str = "GB"
    vat_inclusive: str = "Yes"
    customer: str = ""
    hold: str = "No"
    note: str = ""
    currency: str = ""
    unique_id: str = "48210975"

    def data(self) -> etree._Element:
        """Return the order's Data element."""
        data = etree.Element(
            "Data",
            UniqueId=self.unique_id,
            Customer=self.customer,
            TPGUID=self.number,
            OrderNumber=self.number,
            HoldOrder=self.hold,
            CustomerForename="Asha",
            CustomerSurname="Quill",
            Country=self.country,
            VatInclusive=self.vat_inclusive,
        )
        etree.SubElement(data, "OrderHeaderData", SpecialInstructions=self.note, Currency=self.currency)
        etree.SubElement(data, "OrderInvoiceData", InvoiceForename="Asha")
        for position, line in enumerate(self.lines, start=1):
            etree.SubElement(
                data,
                "OrderLineData",
                OrderLine=str(position),
                Product=line.product,
                MtrxCode1=line.mtrx1,
                MtrxCode2=line.mtrx2,
                MtrxCode3="",
                MtrxCode4="",
                Quantity=line.quantity,
                Price=line.price,
                ExtTaxVal=line.locked_vat,
            )
        etree.SubElement(data, "OrderChargeData", Charge="STD48", ChargeValue=self.delivery)
        etree.SubElement(data, "OrderPaymentData", PayMethod="CSH", TranAmount="63.92")
        return data


def new_orders(*orders: Order, request_type: str = "MultiNewOrder") -> str:
    """Return a MultiNewOrder request."""
    return request(request_type, *(order.data() for order in orders))


def place(prima: PrimaStandIn, order: Order | None = None) -> str:
    """Place an order that must be taken, and return its number."""
    order = order or Order()
    [row] = ask(prima, new_orders(order))
    assert row.get("RequestStatus") == "OK", etree.tostring(row)
    return order.number
