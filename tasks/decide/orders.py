"""Validated orders to a plan: post, already posted, or an exception with a reason. Pure."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from schemas.batches import rows_by, rows_of
from schemas.documents import ExceptionNote
from schemas.items import ItemIndex
from schemas.order_checks import Circumstances, Finding
from schemas.orders import OrderDetails, OrderFrames, OrderPlan
from schemas.rules import OrderRules
from tasks.decide.order_checks.addresses import addresses
from tasks.decide.order_checks.duplicates import Baskets, baskets
from tasks.decide.order_checks.importing import import_rule, refusal
from tasks.decide.order_checks.mapping import mappings, named_alike
from tasks.decide.order_checks.numbers import Numbers
from tasks.decide.order_checks.vat import Styles, vat_rates, vat_rounding
from tasks.decide.sales_orders import sales_order

Row = Mapping[str, Any]
Lines = list[dict[str, Any]]
ALL_KNOWN = Circumstances()


def orders(
    accepted: pd.DataFrame,
    frames: OrderFrames,
    items: ItemIndex,
    posted: Mapping[str, str],
    rules: OrderRules,
    circumstances: Circumstances = ALL_KNOWN,
) -> OrderPlan:
    """Return the plan: each accepted order stands in one of to_post, already_posted, exceptions and too_young.

    `posted` holds the ledger's state of the orders that PRIMA has, by number. Orders are planned in the order in which
    they were placed.
    """
    plan = OrderPlan()
    checks = _Checks(accepted, frames, items, posted, rules, circumstances)
    for row in rows_of(accepted.sort_values(["placed_at", "entity_id_magento"])):
        number = row["order_number"]
        if number in posted:
            plan.already_posted.append(number)
            if row["state_magento"] == "canceled" and posted[number] != "cancelled":
                plan.warnings.append(exception_for(row, "CANCELLED_AFTER_POSTING", "cancelled in Magento"))
        elif rules.of_store(row["store_id"]).is_too_young(row["placed_at"]):
            plan.too_young.append(number)
        else:
            checks.decide(row, plan)
    return plan


def exception_for(
    row: Row, code: str, detail: str, *, sku: str = "", suggestions: tuple[str, ...] = ()
) -> ExceptionNote:
    """Return the exception of one order: what is at risk is its gross total."""
    gross = row["gross_pence"]
    return ExceptionNote(
        code=code,
        subject=f"order {row['order_number'] or 'with entity id ' + str(row['entity_id_magento'])}",
        detail=detail,
        order_number=str(row["order_number"]),
        sku=sku,
        value_at_risk_pence=0 if pd.isna(gross) else int(gross),
        currency=str(row["currency"]),
        suggestions=suggestions,
    )


def rejected(rows: pd.DataFrame) -> list[ExceptionNote]:
    """Return an exception for each row that failed its schema."""
    return [exception_for(row, row["reason"], row["detail"]) for row in rows_of(rows)]


class _Checks:
    """What a batch is checked against, made ready once for all its orders."""

    def __init__(
        self,
        accepted: pd.DataFrame,
        frames: OrderFrames,
        items: ItemIndex,
        posted: Mapping[str, str],
        rules: OrderRules,
        circumstances: Circumstances,
    ) -> None:
        self._items = items
        self._rules = rules
        self._details = frames.details
        self._released, self._refused = circumstances.released, circumstances.refused
        self._lines = rows_by(frames.lines, "order_number")
        self._styles = Styles(items, rules.sizes)
        self._numbers = Numbers(circumstances.numbers, rules)
        self._baskets = {each.order_number: each for each in baskets(frames, accepted)}
        there = [basket for number, basket in self._baskets.items() if posted.get(number, "cancelled") != "cancelled"]
        self._in_prima = Baskets([*circumstances.alike, *there], rules.duplicate_within)

    def decide(self, row: Row, plan: OrderPlan) -> None:
        """Put one order into the plan: held by the first thing that holds it, else to post, with its warnings."""
        number = row["order_number"]
        lines, details, rules = self._lines[number], self._details[number], self._rules
        obstacle = self._obstacle(row, lines, details)
        if obstacle is not None:
            plan.exceptions.append(obstacle)
            return
        released = self._released.get(number, frozenset())
        findings = [found for found in self._findings(row, lines, details) if found.code not in released]
        by_action = {
            action: [found for found in findings if rules.actions[found.code] == action]
            for action in ("hold", "hold_in_prima", "warn")
        }
        if by_action["hold"]:
            plan.exceptions.append(exception_for(row, *by_action["hold"][0]))
            return
        reasons = [f"{found.code}: {found.detail}" for found in by_action["hold_in_prima"]]
        if rules.shipped_before_posting == "post_on_hold" and row["quantity_shipped"]:
            reasons.insert(0, f"{row['quantity_shipped']} of {row['quantity_total']} units were shipped in Magento")
        if_cut = "warn" if "TEXT_CUT" in released else rules.actions["TEXT_CUT"]
        order = sales_order(row, lines, details, self._items, rules, hold_reasons=reasons, if_cut=if_cut)
        plan.to_post.append(order)
        self._in_prima.take(self._baskets[number])
        self._numbers.take(order.order_number_prima, number)
        plan.warnings.extend(exception_for(row, *found) for found in by_action["warn"])
        if reasons:
            plan.warnings.append(exception_for(row, "POSTED_ON_HOLD", "; ".join(reasons)))

    def _obstacle(self, row: Row, lines: Lines, details: OrderDetails) -> ExceptionNote | None:
        """Return the first thing that no setting can pass over: whether it is wanted comes before what it lacks."""
        checks = (
            import_rule(row, self._rules),
            refusal(row, self._refused),
            mappings(row, details, self._rules),
            self._numbers.findings(row),
        )
        for check in checks:
            for found in check:
                return exception_for(row, *found, suggestions=named_alike(row, found[0], self._rules))
        for line in lines:
            problem = self._items.problem(line["sku"])
            if problem is not None:
                detail = f"line {line['line_number']}: {problem.detail}"
                return exception_for(row, problem.code, detail, sku=line["sku"], suggestions=problem.suggestions)
        return None

    def _findings(self, row: Row, lines: Lines, details: OrderDetails) -> list[Finding]:
        return [
            *addresses(details),
            *vat_rates(row, lines, self._rules),
            *self._styles.findings(row, lines),
            *vat_rounding(row, lines),
            *self._in_prima.findings(self._baskets[row["order_number"]]),
        ]
