"""What people map by hand: a name that the settings do not know stands for one that they know."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from schemas.reasons import MappingKind
from schemas.suggestions import SKU_MAPPING

# The ledger's kinds of mappings, each with the name that it has on forms and commands.
MAPPED: Mapping[MappingKind, str] = {
    "sku": SKU_MAPPING,
    "carrier": "carrier",
    "payment": "payment",
    "charge": "charge",
}
Rule = TypeVar("Rule")
_NOTHING = "(empty)"
_UNKNOWN_CARRIER = re.compile(r"carrier (?P<code>.+?) stands in no \[carriers\] entry")


def with_mapped(rules: Mapping[str, Rule], mapped: Mapping[str, Mapping[str, Any]]) -> dict[str, Rule]:
    """Return the rules by name, and those of the names that people mapped to one of them. The settings win."""
    known = {name: rules[str(value["meant"])] for name, value in mapped.items() if str(value["meant"]) in rules}
    return {**known, **rules}


def own_names(rules: Mapping[str, object]) -> list[str]:
    """Return the names of the settings among those that `with_mapped` returned: only to these may others be mapped.

    A mapped name has the very rule that it stands for, and comes before the name that has it in the settings.
    """
    return list({id(rule): name for name, rule in rules.items()}.values())


def unknown_carrier(code: str) -> str:
    """Return the sentence about a carrier that neither the settings nor a mapping names."""
    return f"carrier {code or _NOTHING} stands in no [carriers] entry"


def carrier_named(detail: str) -> str:
    """Return the carrier that such a sentence is about; empty where there is none that could be mapped."""
    found = _UNKNOWN_CARRIER.match(detail)
    return found["code"] if found and found["code"] != _NOTHING else ""
