"""`[prima.requests]`: what this installation calls its request types."""

from pydantic import Field, field_validator

from tasks.settings.section import Section

_NAME = r"^\w+$"
_NAME_OR_NONE = r"^\w*$"
_OFF = "a slot for a request type that is not public: nothing can be sent under it, so it must stay empty (feature off)"


class PrimaRequestSettings(Section):
    """`[prima.requests]`: names of request types. The first four are known; an empty one is a feature that is off."""

    create: str = Field(
        default="MultiNewOrder", pattern=_NAME, description="creates an order: MultiNewOrder, NewOrder or another name"
    )
    status: str = Field(default="OrderStatus", pattern=_NAME, description="asks for the state of one order")
    stock_list: str = Field(default="MultiAvailableToSell", pattern=_NAME, description="stock of listed items")
    stock_range: str = Field(default="ProductAvailableToSell", pattern=_NAME, description="stock of a product range")
    cancel: str = Field(
        default="",
        pattern=_NAME_OR_NONE,
        description="request type that cancels an order, sent with Data/@OrderNumber alone; empty: people do it",
    )
    despatch: str = Field(
        default="",
        pattern=_NAME_OR_NONE,
        description="request type that answers the tracking of an order, sent with Data/@OrderNumber alone; used when "
        "prima.tracking.source is request",
    )
    product: str = Field(default="", description=_OFF)
    price: str = Field(default="", description=_OFF)
    customer: str = Field(default="", description=_OFF)

    @field_validator("product", "price", "customer")
    @classmethod
    def _off(cls, name: str) -> str:
        if name:
            raise ValueError("must stay empty: the fields of such a request are not known, so nothing can send it yet")
        return name
