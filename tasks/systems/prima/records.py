"""What the PRIMA client hands out beside the records of `schemas/documents.py`."""

from dataclasses import dataclass, field
from datetime import datetime

from schemas.documents import Parcel, StockRow
from tasks.settings import OrderStatusName


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """An order request, ready to be recorded and then sent.

    `document` is the inner XML text exactly as it will be sent, `sha256` that of its UTF-8 bytes. `warnings` are
    sentences without personal data about what was cut or left out.
    """

    request_type: str
    order_number_prima: str
    unique_id: str
    document: str
    sha256: str
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OrderState:
    """What `OrderStatus` says of an order.

    `status` is None for a word that the settings do not map. `attributes` are all attributes of the answer's `Data`,
    `answer` is the answer document as it came. `tracking` is what `[prima.tracking]` points to in it.
    """

    order_number_prima: str
    status_text: str
    status: OrderStatusName | None
    attributes: dict[str, str]
    answer: str = ""
    tracking: tuple[Parcel, ...] = ()


@dataclass(frozen=True, slots=True)
class StockSnapshot:
    """All rows of one `ProductAvailableToSell` answer, as of some moment between the two times (UTC).

    `records` are those of the extract `stock` instead, as text, where the settings take the figure from there.
    """

    rows: list[StockRow]
    asked_at: datetime
    answered_at: datetime
    company: str
    records: list[dict[str, str]] = field(default_factory=list)
