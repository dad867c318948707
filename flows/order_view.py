"""Where an order is: lines, timeline, exceptions and what happens next, on the command line and as an artifact."""

from datetime import UTC, datetime
from typing import Any

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from flows import timeline
from flows.views import exception_view
from schemas.money import show
from schemas.timeline import Fact
from tasks import connect
from tasks.decide import timeline as decide
from tasks.errors import ConfigurationError
from tasks.settings import Settings


@flow(name="order", description="Where an order is: what happened to it, in which system and when, and what is next.")
def show_order(order_number: str) -> str:
    """Publish what `magento-prima order NUMBER` shows as the artifact `order-...`, and return its text.

    Nothing about the customer is in it. Raises ConfigurationError for an order that was never seen.
    """
    view = order(Settings.from_env(), order_number)
    if view is None:
        raise ConfigurationError(
            f"order {order_number} was never seen here.",
            system="ledger",
            operation="order",
            reference=order_number,
            next_step="Run the orders deployment, or check the number.",
        )
    text = "\n".join(order_lines_of_text(view))
    key = "order-" + "".join(sign if sign.isalnum() else "-" for sign in view["order_number"].lower())
    plain = text.replace("`", "'")  # what a system named must not end the block
    create_markdown_artifact(key=key, markdown=f"```\n{plain}\n```", description=f"Order {view['order_number']}")
    return text


def order(
    settings: Settings, number: str, *, with_customer: bool = False, is_offline: bool = False
) -> dict[str, Any] | None:
    """Return where an order is, by Magento's increment id or PRIMA's number; None when it was never seen.

    Source: the ledger; Magento and PRIMA's reporting source for invoices and dispatches, unless `is_offline`. Nothing
    about the customer is in it unless `with_customer`, which Magento is asked for.
    """
    with connect.open_ledger(settings) as ledger:
        found = ledger.order(number) or ledger.order_by_prima_number(number)
        if found is None:
            return None
        asked = timeline.Asked() if is_offline else timeline.ask(settings, found)
        now = timeline.order_now(ledger, found, asked, settings.refunds.alert_days)
        view: dict[str, Any] = {
            "order_number": found.order_number,
            "order_number_prima": found.order_number_prima,
            "entity_id_magento": found.entity_id_magento,
            "state": found.state,
            "state_magento": str(asked.order["state"]) if asked.order else found.state_magento,
            "status_magento": str(asked.order["status"]) if asked.order else found.status_magento,
            "currency": found.currency,
            "net_pence": found.net_pence,
            "vat_pence": found.vat_pence,
            "gross_pence": found.gross_pence,
            "lines": [
                {
                    "line_number": line.line_number,
                    "sku": line.sku,
                    "quantity": line.quantity,
                    "quantity_shipped": line.quantity_shipped,
                    "quantity_cancelled": line.quantity_cancelled,
                    "quantity_refunded": line.quantity_refunded,
                    "vat_pence": line.vat_pence,
                    "gross_pence": line.gross_pence,
                }
                for line in found.lines
            ],
            "timeline": [_event(fact) for fact in decide.timeline(timeline.facts(ledger, found, asked))],
            "next": decide.next_step(now),
            "unread": list(asked.unread),
            "exceptions": [
                exception_view(each, datetime.now(UTC))
                for each in ledger.exceptions(state="all", order_number=found.order_number)
            ],
        }
        return {**view, "customer": timeline.customer(asked)} if with_customer else view


def order_lines_of_text(view: dict[str, Any]) -> list[str]:
    """Return an order's view as lines of text."""
    money = view["currency"]
    lines = [
        f"Order {view['order_number']} is {view['state']} here, {view['state_magento']} in Magento, "
        f"PRIMA number {view['order_number_prima'] or 'none yet'}",
        f"Total {show(view['gross_pence'], money)}, VAT {show(view['vat_pence'], money)}",
        f"Next: {view['next']}",
    ]
    if "customer" in view:
        lines.append(f"Customer: {'; '.join(filter(None, view['customer'].values())) or 'Magento could not be asked'}")
    lines.append("")
    lines += [
        f"  {line['line_number']:>3}  {line['quantity']} x {line['sku']}  {show(line['gross_pence'], money)} "
        f"(VAT {show(line['vat_pence'], money)}), shipped {line['quantity_shipped']}"
        + (f", cancelled {line['quantity_cancelled']}" if line["quantity_cancelled"] else "")
        + (f", refunded {line['quantity_refunded']}" if line["quantity_refunded"] else "")
        for line in view["lines"]
    ]
    lines.append("")
    for event in view["timeline"]:
        lines.append(f"  {event['at']:<20}  {event['system']:<13} {event['what']}")
        if event["url"]:
            lines.append(f"{'':<37} {event['url']}")
    lines += [f"  {problem}" for problem in view["unread"]]
    for each in view["exceptions"]:
        lines += [
            "",
            f"  {each['state']}: {each['code']} ({each['owner']}): {each['sentence']}",
            f"    {each['detail']}",
        ]
        if each["state"] == "open":
            lines.append(f"    Next: {each['next_step']}")
    return ["".join(sign if sign.isprintable() else "?" for sign in line) for line in lines]


def _event(fact: Fact) -> dict[str, str]:
    at = fact.at.astimezone(UTC)
    return {
        "at": at.strftime("%Y-%m-%d" if fact.is_day else "%Y-%m-%dT%H:%M:%SZ"),
        "system": fact.system,
        "kind": fact.kind,
        "what": fact.what,
        "url": fact.url,
    }
