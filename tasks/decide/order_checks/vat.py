"""The VAT of an order against what is known: rates by destination and date, sizes of a style, rounding. Pure.

Nothing here changes an amount: what Magento charged is posted, or the order is held.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from schemas.documents import StockTuple
from schemas.items import ItemIndex
from schemas.money import show
from schemas.order_checks import Finding
from schemas.rules import OrderRules, SizeRule
from schemas.vat_rounding import Charge, is_rounded_down

Row = Mapping[str, Any]
Lines = list[dict[str, Any]]


class Styles:
    """The styles of PRIMA whose children's sizes are zero-rated there."""

    def __init__(self, items: ItemIndex, rule: SizeRule | None) -> None:
        self._items = items
        self._rule = rule
        rates: Iterable[tuple[StockTuple, Decimal]] = items.vat_rates.items() if rule is not None else ()
        self._zero_rated = {
            item.product for item, rate in rates if rule is not None and not rate and rule.is_childs(item)
        }

    def findings(self, row: Row, lines: Lines) -> Iterator[Finding]:
        """Yield each line whose VAT is not that of its size, for destinations where the rule holds."""
        if self._rule is None or row["country"] not in self._rule.countries:
            return
        for line in lines:
            item = self._items.item(line["sku"])
            if item.product not in self._zero_rated or not line["gross_pence"]:
                continue
            rate, size = Decimal(line["vat_rate_percent"]), getattr(item, self._rule.size_in)
            name = f"line {line['line_number']} ({line['sku']})"
            if self._rule.is_childs(item) and rate:
                vat = show(int(line["vat_pence"]), row["currency"])
                detail = f"{name}: children's size {size} of {item.product} carries {rate}%, {vat} VAT"
                yield Finding("VAT_CHARGED_ON_CHILD_SIZE", detail)
            if not self._rule.is_childs(item) and not rate:
                detail = f"{name}: size {size} of {item.product} is no children's size and carries no VAT"
                yield Finding("VAT_ZERO_ON_ADULT_SIZE", detail)


def vat_rates(row: Row, lines: Lines, rules: OrderRules) -> Iterator[Finding]:
    """Yield each line, and the delivery, with a rate that its destination did not have when the order was placed.

    A destination without any entry has no VAT. What is free may carry any rate.
    """
    allowed = rules.rates_of(row["country"], row["business_date"])
    charged = [(f"line {line['line_number']}", line["vat_rate_percent"], line["vat_pence"]) for line in lines]
    charged = [each for each, line in zip(charged, lines, strict=True) if line["gross_pence"]]
    if row["delivery_vat_pence"]:
        charged.append(("delivery", row["delivery_vat_rate_percent"], row["delivery_vat_pence"]))
    for name, rate, vat in charged:
        if Decimal(rate) not in allowed:
            yield Finding(
                "VAT_RATE_UNEXPECTED",
                f"{name} carries {rate}% to {row['country']} on {row['business_date']}, "
                f"{show(int(vat), row['currency'])} VAT",
            )


def vat_rounding(row: Row, lines: Lines) -> Iterator[Finding]:
    """Yield each rate at which the order's VAT was cut off to whole pence."""
    charges: dict[Decimal, list[Charge]] = {}
    for line in lines:
        amounts = (int(line[name]) for name in ("quantity", "net_pence", "vat_pence", "gross_pence"))
        charges.setdefault(Decimal(line["vat_rate_percent"]), []).append(Charge(*amounts))
    if row["delivery_vat_pence"]:
        amounts = (int(row[f"delivery_{name}_pence"]) for name in ("net", "vat", "gross"))
        charges.setdefault(Decimal(row["delivery_vat_rate_percent"]), []).append(Charge(1, *amounts))
    for rate, at_rate in charges.items():
        if is_rounded_down(at_rate, rate):
            vat = show(sum(charge.vat_pence for charge in at_rate), row["currency"])
            gross = show(sum(charge.gross_pence for charge in at_rate), row["currency"])
            yield Finding("VAT_ROUNDED_DOWN", f"{vat} at {rate}% in {gross} is cut off to whole pence")
