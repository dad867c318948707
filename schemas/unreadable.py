"""Documents that Magento has but does not hand out: the code and the subject under which each waits."""

from collections.abc import Iterable

# By the name of Magento's list. An invoice that cannot be read is told by the reconciliation, which alone reads all.
CODES = {"orders": "RECORD_UNREADABLE", "creditmemos": "REFUND_UNREADABLE", "shipments": "SHIPMENT_UNREADABLE"}
_NOUNS = {"orders": "order", "creditmemos": "credit memo", "shipments": "shipment", "invoices": "invoice"}


def subject(kind: str, entity_id: object) -> str:
    """Return what the exception of a document is about: only its entity id is known."""
    return f"{_NOUNS[kind]} entity {entity_id}"


def entity_ids(kind: str, subjects: Iterable[str]) -> set[int]:
    """Return the entity ids of the documents that these subjects name; other subjects are passed over."""
    beginning = subject(kind, "")
    numbers = (each.removeprefix(beginning) for each in subjects if each.startswith(beginning))
    return {int(number) for number in numbers if number.isdecimal()}
