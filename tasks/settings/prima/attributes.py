"""`[prima.orders.consent]` and `[prima.orders.constants]`: attributes of the order document that never change."""

from collections.abc import Mapping

from pydantic import Field, field_validator

from schemas import prima_order
from tasks.settings.section import Section


class ConsentSettings(Section):
    """`[prima.orders.consent]`: what the customer agreed to, as `Yes` or `No`; all are `No` unless set."""

    receive_mail: bool = Field(default=False, description="ReceiveMail")
    receive_email: bool = Field(default=False, description="ReceiveEmail")
    receive_text: bool = Field(default=False, description="ReceiveText")
    receive_phone: bool = Field(default=False, description="ReceivePhone")
    receive_mobile: bool = Field(default=False, description="ReceiveMobile")
    rent_details: bool = Field(default=False, description="RentDetails: whether the address may be given to others")


class ConstantSettings(Section):
    """`[prima.orders.constants]`: a fixed value for any other attribute that is sent empty, by element.

    What the order itself fills, what has a setting of its own, and card data cannot stand here.
    """

    order: dict[str, str] = Field(default_factory=dict, description="attributes of Data")
    header: dict[str, str] = Field(default_factory=dict, description="attributes of OrderHeaderData")
    invoice: dict[str, str] = Field(default_factory=dict, description="attributes of OrderInvoiceData")
    line: dict[str, str] = Field(default_factory=dict, description="attributes of each OrderLineData")
    payment: dict[str, str] = Field(default_factory=dict, description="attributes of OrderPaymentData")

    @field_validator("order", "header", "invoice", "line", "payment")
    @classmethod
    def _free(cls, values: Mapping[str, str], info: object) -> Mapping[str, str]:
        free = prima_order.FREE[str(getattr(info, "field_name", ""))]
        wrong = sorted(values.keys() - set(free))
        if wrong:
            raise ValueError(
                f"{', '.join(wrong)} cannot be a constant: it is unknown, filled from the order, a setting of its own, "
                f"or card data; these can: {', '.join(free)}"
            )
        return values
