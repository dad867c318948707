"""PRIMA's extracts as the staged tables prima_documents and prima_lines. Pure."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import pandas as pd

from schemas.extracts import EXTRACTS
from schemas.money import vat_in_gross
from tasks.reconcile.staging import (
    AMOUNTS,
    DELIVERY_AMOUNTS,
    Problem,
    hundredths,
    shaped,
    stacked,
    with_remainders,
)

_KEYS = ["level", "document_number"]
_LEVEL_OF = {
    "sales_orders": "orders",
    "sales_order_lines": "orders",
    "invoices": "invoices",
    "invoice_lines": "invoices",
    "credit_notes": "refunds",
}


def documents(
    extracts: Mapping[str, pd.DataFrame], status_names: Mapping[str, str], delivery_products: frozenset[str]
) -> pd.DataFrame:
    """Return one row per sales order, invoice and credit note.

    `status_names` maps PRIMA's words to ours; a word that is not in it becomes empty text. The delivery of an invoice,
    and of an order that was sent with delivery as a line, is the sum of its delivery lines; a credit note does not
    tell its delivery.
    """
    orders = extracts["sales_orders"]
    words = {_plain(word): name for word, name in status_names.items()}
    statuses = orders["status"].map(lambda word: words.get(_plain(word), "")).astype("str")
    order_rows = orders.assign(
        level="orders",
        document_number=orders["order_number_prima"],
        document_at=orders["ordered_at"],
        business_date=orders["ordered_at"].dt.tz_convert("Europe/London").dt.date,
        status_prima=statuses,
        is_cancelled=statuses == "cancelled",
        open_qty=orders["order_number_prima"].map(_open_units(extracts["sales_order_lines"], delivery_products)),
    )
    parts = [order_rows]
    for level, name, number, dated in (
        ("invoices", "invoices", "invoice_number", "invoice_date"),
        ("refunds", "credit_notes", "credit_note_number", "credit_note_date"),
    ):
        rows = extracts[name]
        parts.append(
            rows.assign(
                level=level,
                document_number=rows[number],
                document_at=rows["updated_at"],
                business_date=rows[dated],
                status_prima="",
                is_cancelled=False,
            )
        )
    merged = stacked(parts)
    for instant in ("document_at", "updated_at"):
        merged[instant] = merged[instant].dt.tz_localize(None)
    delivered = pd.concat(
        [
            _invoice_delivery(extracts["invoice_lines"], delivery_products),
            _order_delivery(extracts["sales_order_lines"], delivery_products),
        ],
        ignore_index=True,
    )
    merged = merged.merge(delivered, on=_KEYS, how="left", suffixes=("", "_of_lines"))
    has_lines_only = (merged["level"] == "orders") & (merged["delivery_gross_pence"].fillna(0) == 0)
    is_from_lines = (merged["level"] == "invoices") | has_lines_only
    for amount in DELIVERY_AMOUNTS:
        merged[amount] = merged[amount].where(~is_from_lines, merged[f"{amount}_of_lines"].fillna(0))
    merged["net_pence"] = merged["gross_pence"] - merged["vat_pence"]
    merged["delivery_net_pence"] = merged["delivery_gross_pence"] - merged["delivery_vat_pence"]
    return shaped("prima_documents", merged.drop_duplicates(_KEYS, keep="last"))


def without_repeats(extracts: Mapping[str, pd.DataFrame]) -> tuple[dict[str, pd.DataFrame], list[Problem]]:
    """Return the extracts with each key once, and a problem for each order that an extract repeats a row of.

    Which of two rows is right nobody can tell: the order is named and not compared at that level.
    """
    kept: dict[str, pd.DataFrame] = {}
    problems: dict[tuple[str, str], Problem] = {}
    for name, rows in extracts.items():
        keys = list(EXTRACTS[name].keys)
        is_repeated = rows.duplicated(keys, keep=False)
        level = _LEVEL_OF.get(name, "")
        for number in rows.loc[is_repeated, "order_number_prima"].unique() if is_repeated.any() else ():
            problems[name, number] = Problem(
                f"PRIMA {name} of order {number}",
                f"the extract holds rows with the same {' and '.join(keys)} more than once",
                level,
                order_number_prima=number,
            )
        kept[name] = rows.drop_duplicates(keys, keep="last", ignore_index=True) if is_repeated.any() else rows
    return kept, list(problems.values())


def products(lines: pd.DataFrame) -> "pd.Series[str]":
    """Return PRIMA's product and matrix codes of each line in one text, empty codes left out: `HARBRN/BLK/075`."""
    joined = lines["product"].astype("str")
    for name in ("mtrx1", "mtrx2", "mtrx3", "mtrx4"):
        codes = lines[name].fillna("").astype("str")
        joined = joined.where(codes == "", joined + "/" + codes)
    return joined


def dispatches(extracts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return one row per line of a dispatch."""
    tracked = extracts["dispatches"]
    facts = tracked[["dispatch_number", "dispatched_at"]].assign(
        tracking_count=tracked["tracking_numbers"].map(
            lambda numbers: sum(1 for each in numbers.split(";") if each.strip())
        )
    )
    found = extracts["dispatch_lines"].drop(columns="updated_at", errors="ignore").merge(facts, on="dispatch_number")
    found["business_date"] = found["dispatched_at"].dt.tz_convert("Europe/London").dt.date
    found["dispatched_at"] = found["dispatched_at"].dt.tz_localize(None)
    found["product"] = products(found)
    return shaped("prima_dispatches", found)


def contradictions(extracts: Mapping[str, pd.DataFrame]) -> list[Problem]:
    """Return the documents whose net and VAT do not make their gross; gross and VAT count, net is the rest."""
    found = []
    for name, number in (
        ("sales_orders", "order_number_prima"),
        ("invoices", "invoice_number"),
        ("credit_notes", "credit_note_number"),
    ):
        rows = extracts[name]
        is_bad = ((rows["net_pence"] + rows["vat_pence"]) != rows["gross_pence"]).fillna(False)
        found += [Problem(f"PRIMA {name} {key}", "net and VAT do not make gross") for key in rows.loc[is_bad, number]]
    return found


def lines(
    documents: pd.DataFrame,
    extracts: Mapping[str, pd.DataFrame],
    vat_rates: Sequence[int],
    delivery_products: frozenset[str],
) -> pd.DataFrame:
    """Return one row per charge; they add up to the document.

    Delivery that was sent as a charge stands on the order without a rate: it takes the rate of `vat_rates` that gives
    its VAT. A credit note has no lines: its one row says `document`.
    """
    order_lines = extracts["sales_order_lines"]
    of_orders = order_lines.assign(
        level="orders",
        document_number=order_lines["order_number_prima"],
        charge=order_lines["product"].isin(delivery_products).map({True: "delivery", False: "goods"}),
        order_line_number=order_lines["line_number"],
        product=products(order_lines),
        vat_rate_hundredths=hundredths(order_lines["vat_rate"]),
    )
    invoice_lines = extracts["invoice_lines"]
    of_invoices = invoice_lines.assign(
        level="invoices",
        document_number=invoice_lines["invoice_number"],
        charge=_is_delivery(invoice_lines, delivery_products).map({True: "delivery", False: "goods"}),
        product=products(invoice_lines),
        vat_rate_hundredths=hundredths(invoice_lines["vat_rate"]),
    )
    of_refunds = documents[documents["level"] == "refunds"].assign(charge="document", line_number=1, product="")
    charges = _delivery_charges(documents[documents["level"] == "orders"], of_orders, vat_rates)
    parts = [of_orders, charges, of_invoices, of_refunds]
    merged = stacked(parts)
    merged["net_pence"] = merged["gross_pence"] - merged["vat_pence"]
    return shaped("prima_lines", with_remainders(documents, merged))


def _open_units(order_lines: pd.DataFrame, delivery_products: frozenset[str]) -> "pd.Series[int]":
    """Return by order the units of goods that are neither dispatched nor cancelled."""
    goods = order_lines[~order_lines["product"].isin(delivery_products)]
    left = goods["quantity"] - goods["quantity_dispatched"] - goods["quantity_cancelled"]
    return left.clip(lower=0).groupby(goods["order_number_prima"]).sum()


def _delivery_charges(orders: pd.DataFrame, lines: pd.DataFrame, vat_rates: Sequence[int]) -> pd.DataFrame:
    """Return the delivery that stands on the order only: what the lines leave of it, when that is its delivery."""
    sums = lines.groupby("document_number")["gross_pence"].sum()
    rest = orders["gross_pence"] - orders["document_number"].map(sums).fillna(0).astype("Int64")
    delivery = orders["delivery_gross_pence"].fillna(0)
    charged = orders[(delivery != 0) & (rest == delivery)]
    amounts = {amount: charged[source] for amount, source in zip(AMOUNTS, DELIVERY_AMOUNTS, strict=True)}
    charged = charged.assign(charge="delivery", line_number=10_000_000, product="", **amounts)
    pairs = list(zip(charged["gross_pence"].tolist(), charged["vat_pence"].tolist(), strict=True))
    rates = {pair: _fitting_rate(*pair, vat_rates) for pair in set(pairs)}
    return charged.assign(
        vat_rate_hundredths=pd.Series([rates[pair] for pair in pairs], index=charged.index, dtype="Int64")
    )


def _fitting_rate(gross_pence: int, vat_pence: int, vat_rates: Sequence[int]) -> int | None:
    """Return the rate whose VAT is within a penny of the one given; 0 for no VAT, None when none fits."""
    if vat_pence == 0:
        return 0
    fitting = {rate: abs(vat_in_gross(gross_pence, Decimal(rate) / 100) - vat_pence) for rate in vat_rates if rate != 0}
    best = min(fitting, key=lambda rate: (fitting[rate], -rate), default=None)
    return best if best is not None and fitting[best] <= 1 else None


def _is_delivery(invoice_lines: pd.DataFrame, delivery_products: frozenset[str]) -> "pd.Series[bool]":
    """Tell which invoice lines are delivery: by their type, or because delivery was sent as an order line."""
    return (invoice_lines["line_type"] == "delivery") | invoice_lines["product"].isin(delivery_products)


def _invoice_delivery(invoice_lines: pd.DataFrame, delivery_products: frozenset[str]) -> pd.DataFrame:
    delivery = invoice_lines[_is_delivery(invoice_lines, delivery_products)]
    return _delivery_sums(delivery, "invoice_number", "invoices")


def _order_delivery(order_lines: pd.DataFrame, delivery_products: frozenset[str]) -> pd.DataFrame:
    delivery = order_lines[order_lines["product"].isin(delivery_products)]
    return _delivery_sums(delivery, "order_number_prima", "orders")


def _delivery_sums(delivery: pd.DataFrame, key: str, level: str) -> pd.DataFrame:
    sums = delivery.groupby(key, as_index=False)[list(AMOUNTS)].sum()
    named = dict(zip(AMOUNTS, DELIVERY_AMOUNTS, strict=True))
    renamed = sums.rename(columns={**named, key: "document_number"}).assign(level=level)
    return renamed.astype({"document_number": "str", "level": "str"})


def _plain(word: object) -> str:
    """Return a status word without case, blanks, hyphens and underscores, as PRIMA writes it both ways."""
    return "".join(letter for letter in str(word).lower() if letter not in " -_")
