"""Names of every attribute of PRIMA's order document, in the order in which they are written.

Source: the recorded orders of a real installation. Sending an attribute empty is proven, leaving it out is not, so all
of them are written unless `prima.orders.send_empty_attributes` says otherwise.
"""

from collections.abc import Mapping


def _numbered(name: str, first: int, last: int) -> tuple[str, ...]:
    return tuple(f"{name}{number}" for number in range(first, last + 1))


ORDER = (
    "UniqueId",
    "Customer",
    "TPGUID",
    "OrderNumber",
    "HoldOrder",
    "HoldOrderNarrative",
    "OrderChannel",
    "OrderType",
    "CustDef",
    "CustomerTitle",
    "CustomerForename",
    "CustomerSurname",
    *_numbered("AddrLine", 1, 6),
    "PostCode",
    "Country",
    "CustomerEmail",
    "CustomerPhone",
    "CustomerMobile",
    "CustomerFax",
    "CustomerRef",
    "Gender",
    "DateOfBirth",
    "DelivAddrNo",
    "InvcAddrNo",
    "DeliveryFAO",
    "VatInclusive",
    "PaymentTerms",
    "Salesman",
    "SeasonDDValidation",
    "EntitlementCheck",
    "ReceiveMail",
    "ReceiveEmail",
    "ReceiveText",
    "ReceivePhone",
    "ReceiveMobile",
    "RentDetails",
    "Wardrobe",
    "WorksNo",
    "WREmpCode",
    "WREmpDept",
    "WREmpRef1",
    "WREmpRef2",
    "WREmpRole",
    *_numbered("WROrdRef", 1, 4),
)

HEADER = (
    "OrderCategory",
    "SpecialInstructions",
    "ShippingInstructions",
    "SourceMedia",
    "OrderStatus",
    "Carrier",
    "CarrServ",
    "Currency",
    "OrderContact",
    "OrderDate",
    "OrderEmail",
    "OrderPaid",
    "PaymentOnOrder",
    "ProdConv",
    "Proforma",
    "Season",
    "SendToApproval",
    "B2B",
    "Brand",
)

INVOICE = (
    "InvoiceTitle",
    "InvoiceForename",
    "InvoiceSurname",
    *_numbered("InvoiceAddrLine", 1, 6),
    "InvoicePostCode",
    "InvoiceCountry",
    "InvoiceEmail",
    "InvoicePhone",
    "InvoiceMobile",
    "InvoiceFax",
    "InvoiceFAO",
)

LINE = (
    "OrderLine",
    "Product",
    *_numbered("MtrxCode", 1, 4),
    "Quantity",
    "Price",
    "ExtTaxVal",
    "Voucher",
    "DueDate",
    "EnhancementToLine",
    "Inventory",
    "LineSalesman",
    "Reserve",
    "TrDisc",
    "Warehouse",
    "WorksNo",
    "Promotion",
    "PromotionValue",
    "WebPrmCode",
    "LineNarrative",
    "LineReference",
    *_numbered("FIPSCode", 1, 6),
    *_numbered("FIPSValue", 1, 6),
    "VchMethod",
    "VchGreetcard",
    "VchMessage",
    "VchGreetMessage",
    "VchName",
    *_numbered("VchAddrLine", 1, 6),
    "VchPostCode",
    "VchCntry",
    "VchEmail",
)

CHARGE = ("Charge", "ChargeValue")

PAYMENT = (
    "PayMethod",
    "SubPayMethod",
    "TranAmount",
    "PayProvider",
    "PayAuthRef",
    "PayAuthId",
    "LineRef",
    "TransactionID",
    "AuthRef",
    "AuthDate",
    "AuthTime",
    "BankSort",
    "BankAccount",
    "ChequeNum",
    "PayProviderStatus",
    "TokenID",
    "CAVV",
    "ECI",
    "ATSData",
    "AuthenticationStatus",
    "VchNumber",
    "FailureCount",
    "ExchCreditNo",
)

# Written even when only filled attributes are sent: a stock tuple has five parts, and an empty `Customer` asks for a
# new one.
ALWAYS_WRITTEN = frozenset({"Customer", *_numbered("MtrxCode", 1, 4)})

# Attributes that no order fills and no setting is named after, by element: an installation may give each a constant.
# Dates, what is the customer's own, and whatever belongs to a card are not among them.
FREE: Mapping[str, tuple[str, ...]] = {
    "order": (
        "CustDef",
        "CustomerTitle",
        "DelivAddrNo",
        "InvcAddrNo",
        "PaymentTerms",
        "Salesman",
        "SeasonDDValidation",
        "EntitlementCheck",
        "Wardrobe",
        "WorksNo",
        "WREmpCode",
        "WREmpDept",
        "WREmpRef1",
        "WREmpRef2",
        "WREmpRole",
        *_numbered("WROrdRef", 1, 4),
    ),
    "header": (
        "ShippingInstructions",
        "OrderStatus",
        "OrderContact",
        "OrderEmail",
        "OrderPaid",
        "PaymentOnOrder",
        "ProdConv",
        "Proforma",
        "SendToApproval",
        "B2B",
    ),
    "invoice": ("InvoiceTitle",),
    "line": (
        "EnhancementToLine",
        "Inventory",
        "LineSalesman",
        "Reserve",
        "WorksNo",
        "Promotion",
        "WebPrmCode",
        "LineNarrative",
        "LineReference",
    ),
    "payment": ("PayProviderStatus",),
}
