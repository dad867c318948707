"""The page of exceptions for the people who act on them: `docs/operations.md`, made from `schemas/reasons`.

`python -m schemas.reasons_page > docs/operations.md` writes it anew; a test says when that is due.
"""

from schemas.order_checks import DEFAULT_ACTIONS
from schemas.reasons import REASONS, Owner, Reason, ValueRule

_INTRODUCTION = """\
# Operations: who investigates what

An order, a SKU or a dispatch that cannot go on is never dropped and never blocks the others: it becomes an
**exception** with a code, an owner, the value at risk and what to do next. This page lists every code. It is made
from the program's own table (`python -m schemas.reasons_page > docs/operations.md`).

## Where to look

| Question | Command | In the Prefect UI |
| --- | --- | --- |
| What needs a person? | `magento-prima exceptions list`, or [the desk] | artifacts `exceptions-TEAM` |
| What happened to one exception, and what can I do? | `magento-prima exceptions show 12` | [the desk] |
| What does a code mean, and what can be done about it? | `magento-prima exceptions codes SKU_CASE` | this page |
| Where is an order, and what is next? | `magento-prima order 000000101` | form of `order`, artifact `order-...` |
| Which refunds are on one side only, and since when? | `magento-prima run refunds` | artifact `refunds` |
| Why is this quantity in the shop? | `magento-prima stock HARBOUR-BLK-10` | form of `stock`, artifact `stock-...` |
| Is Magento's stock what was written? | `magento-prima run stock-check` | artifact `stock-check` |
| Which stock snapshot is held, and why? | `magento-prima stock-brake show` | form of `stock-brake` |
| What did the last run do? | `magento-prima run orders` prints it | artifacts `orders`, `inventory`, `fulfilment` |
| Did every order arrive? | `magento-prima run census` | artifact `census` |
| Does every parcel show on both sides? | `magento-prima run dispatch-census` | artifact `dispatch-census` |
| Do both systems agree? | `magento-prima reconcile --date 2026-11-23` | artifact `reconciliation` |
| Which breaks are open, since when, with whom? | `magento-prima breaks list` | artifact `reconciliation-breaks` |
| What does the reconciliation tolerate, and who said so? | `magento-prima tolerance show` | form of `tolerance` |
| Are settings, keys and both systems in order? | `magento-prima check` | |

[the desk]: index.md#the-exceptions-desk

Most exceptions close themselves: when a later run finds that the cause is gone, the order is posted, the dispatch
told or the SKU written, and the exception is closed with the name of that run. There is nothing to tick off.

## What people do about an exception

Each act is a command and a form in the Prefect UI, kept in the history with who, when and why. One that does not fit
is refused with why. Numbers are acted on at once; filters (`--code`, `--owner`, `--older-than-hours`, `--store`,
`--sku`, `--order`, `--assigned-to`) list what would be done until `--run` is given.

| Act | Command, after `magento-prima` | Form |
| --- | --- | --- |
| give it to a person | `exceptions assign 12 --to jane --by ada` | `exceptions-assign` |
| keep a remark | `exceptions comment 12 --text "asked the shop" --by ada` | `exceptions-comment` |
| let it rest | `exceptions snooze 12 --hours 5 --because "comes at noon" --by ada` | `exceptions-snooze` |
| run again what it is about | `exceptions retry 12 --by ada` | `exceptions-retry` |
| accept the suggested SKU | `exceptions accept tee-navy-m --as TEE-NAVY-M --by ada` | `accept-suggestion` |
| accept all that is suggested | `exceptions accept-suggested --code PAYMENT_UNMAPPED --by ada` | `exceptions-accept` |
| map SKU, carrier, payment or delivery | `exceptions map 12 --as DPD --by ada` | `exceptions-map` |
| let an order pass a check | `exceptions release 000000101 --by ada --because "asked"` | `release` |
| let many pass | `exceptions release-held --code VAT_ROUNDED_DOWN --by ada --because "asked"` | `exceptions-release` |
| keep a held order from PRIMA | `exceptions refuse-held 12 --by ada --because "ordered twice"` | `exceptions-refuse` |
| release or refuse held stock | `stock-brake release HOLD --by ada --why "counted"` | `stock-brake` |
| leave it as it is | `exceptions ignore 12 --because "a test order" --by ada` | `exceptions-ignore` |
| close what no run can see the end of | `exceptions close 12 --because "done" --by ada` | `exceptions-close` |

A retry reads both systems anew: stock and prices as they were then are never written, and an order that PRIMA has or
may have is not sent again. What is ignored comes back when more is at risk; what it holds stays held meanwhile.

## What the states of an order mean

| State | Meaning |
| --- | --- |
| seen | read from Magento, nothing decided |
| held | an exception says why it waits; every run looks again |
| excluded | the import rules leave it out |
| ready | goes to PRIMA with the next run |
| posting, unknown | a call left and its answer is not stored: PRIMA is looked at before anything else is done |
| refused | PRIMA said no; every run tries again with the order as it is then |
| accepted | PRIMA has it |
| part_dispatched, dispatched | PRIMA dispatched some or all of it, and Magento was told |
| closed, cancelled | the end |

## What checks do with an order

An order that lacks a mapping, an item or figures that add up cannot be posted. What the following checks find leaves
that to the settings: `hold` keeps the order here, `hold_in_prima` posts it with `HoldOrder` and the finding as its
narrative and raises POSTED_ON_HOLD, `warn` posts it with the exception. Set under `[orders.actions]`, by code.

{actions}
A person lets one order pass that a check holds: `magento-prima exceptions release 000000101 --by ada --because "asked"`
or the deployment `release`. Who did it and why stands in the history of the exception. Refused instead
(`magento-prima exceptions refuse-held`), it stays here as REFUSED_BY_HAND until it is cancelled in Magento or released.

## Codes by team
"""

_TEAMS: dict[Owner, str] = {
    "operations": "the warehouse and order desk",
    "finance": "totals, VAT, refunds, the month's close",
    "ecommerce": "catalogue, SKUs and stock in the shop",
    "customer service": "addresses, cancellations, what a customer is told",
    "integration": "settings, keys and the program itself",
}

VALUES: dict[ValueRule, str] = {
    "order gross": "the order's gross total",
    "document gross": "the document's gross total",
    "refund gross": "what was refunded or credited, gross",
    "total difference": "the difference of the totals",
    "VAT difference": "the difference of the VAT",
    "cancelled units": "the gross of the units in question",
    "dispatched units": "the gross of the units in question",
    "stock value": "what the units in question sell for",
    "none": "none that can be told",
}


def page() -> str:
    """Return the whole page as Markdown: a table of codes by team, then a section for each code."""
    rows = "\n".join(f"| [{code}](#{code.lower()}) | {action} |" for code, action in sorted(DEFAULT_ACTIONS.items()))
    parts = [_INTRODUCTION.replace("{actions}", f"| Code | Unless set otherwise |\n| --- | --- |\n{rows}\n")]
    for owner, task in _TEAMS.items():
        reasons = [reason for reason in REASONS.values() if reason.owner == owner]
        rows = "\n".join(_row(reason) for reason in reasons)
        heading = "| Code | Severity | Meaning |\n| --- | --- | --- |"
        parts.append(f"### {owner.capitalize()}: {task}\n\n{heading}\n{rows}\n")
    parts.append("## Every code\n")
    parts.extend(_section(reason) for reason in sorted(REASONS.values(), key=lambda reason: reason.code))
    return "\n".join(parts)


def _row(reason: Reason) -> str:
    return f"| [{reason.code}](#{reason.code.lower()}) | {reason.severity} | {reason.sentence} |"


def _section(reason: Reason) -> str:
    return (
        f"### {reason.code}\n\n{reason.sentence}\n\n"
        f"*Owner:* {reason.owner}. *Severity:* {reason.severity}. *Value at risk:* {VALUES[reason.value_rule]}. "
        f"*Next person:* {escalation(reason)}.\n\n**What to do:** {reason.next_step}\n\n"
        f"*Who may decide:* {', '.join(reason.may)}. *Acts:* {', '.join(reason.acts)}.\n"
    )


def escalation(reason: Reason) -> str:
    """Return when further people are told of an exception that nobody ended, in words."""
    if not reason.escalate_hours:
        return "nobody is told"
    return "told after " + ", then after ".join(f"{hours} h" for hours in reason.escalate_hours)


if __name__ == "__main__":
    print(page(), end="")
