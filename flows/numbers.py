"""Whether the shop's order numbers fit into PRIMA's, now and for a while."""

import re
from collections.abc import Mapping
from typing import Any

from schemas.rules import NumberRule
from tasks.errors import ConfigurationError
from tasks.settings import Settings
from tasks.settings.order_rules import number_rule
from tasks.systems.magento import MagentoClient

# Magento writes an order that was edited as `000000101-1`.
_EDITED = re.compile(r"^(\d+)-\d+$")
# Below this share of the numbers left somebody should think of a longer one.
FEW_LEFT = 10


def order_numbers(settings: Settings, magento: MagentoClient) -> str:
    """Return what `judged` says of the latest order of each store view that is imported.

    Source: GET /V1/orders, the newest order of each store view.
    """
    latest = {store.code: magento.latest_order(store.id) for store in settings.stores if store.is_imported}
    return judged(number_rule(settings), latest)


def judged(rule: NumberRule, latest: Mapping[str, Mapping[str, Any] | None]) -> str:
    """Return how far the shop's numbers have come of those that PRIMA's have room for; pure.

    `latest` holds `entity_id` and `increment_id` by store view, None for one without orders. Raises ConfigurationError
    that names every store view whose orders do not fit.
    """
    problems = [
        f"the latest order of store view {code} has the {rule.source} {_own(rule, order)!r}: {_unfit(rule)}"
        for code, order in latest.items()
        if order is not None and not _fits(rule, order)
    ]
    if problems:
        raise ConfigurationError(
            f"order numbers do not fit into PRIMA's: {'; '.join(problems)}.",
            problems=problems,
            system="settings",
            next_step="Correct [prima.orders]: number_from, number_length, number_prefix, number_digits_only.",
        )
    largest = max((_size(_own(rule, order)) for order in latest.values() if order is not None), default=0)
    capacity = 10**rule.room - 1
    few = ": few are left, so think of a longer number" if (capacity - largest) * FEW_LEFT < capacity else ""
    return f"order numbers up to {largest} of {capacity}{few}"


def _fits(rule: NumberRule, order: Mapping[str, Any]) -> bool:
    number = str(order["increment_id"])
    edited = _EDITED.match(number)
    if rule.digits_only and edited:  # such an order is an exception of its own; its like are judged by what it edits
        number = edited.group(1)
    return rule.number(int(order["entity_id"]), number) is not None


def _unfit(rule: NumberRule) -> str:
    digits = " and takes digits only" if rule.digits_only else ""
    return f"number_length {rule.length} leaves room for {rule.room} characters after {rule.prefix!r}{digits}"


def _own(rule: NumberRule, order: Mapping[str, Any]) -> str:
    return str(order[rule.source])


def _size(number: str) -> int:
    digits = re.match(r"\d+", number)
    return int(digits.group()) if digits else 0
