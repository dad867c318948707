"""Where an order is: lines, timeline, exceptions and what happens next, on the command line and as an artifact."""

from typing import Any

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from flows import timeline
from schemas.money import show
from tasks import connect
from tasks.errors import ConfigurationError
from tasks.settings import Settings


@flow(name="order", description="Where an order is: what happened to it, in which system and when, and what is next.")
def show_order(order_number: str) -> str:
    """Publish what `magento-prima order NUMBER` shows as the artifact `order-...`, and return its text.

    Args:
        order_number: Magento's number of the order, or PRIMA's.

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
        view = timeline.view_of(ledger, found, settings, asked)
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
