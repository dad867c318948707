"""Magento's orders, invoices and credit memos as the staged tables magento_documents and magento_lines. Pure."""

from collections.abc import Mapping

import pandas as pd

from tasks.reconcile.staging import AMOUNTS, DELIVERY_AMOUNTS, hundredths, shaped, stacked, with_remainders


def documents(
    orders: pd.DataFrame,
    others: Mapping[str, pd.DataFrame],
    set_apart: Mapping[str, pd.DataFrame],
    stores: Mapping[str, str],
) -> pd.DataFrame:
    """Return one row per order, invoice and credit memo. `others` holds the frames of the other levels.

    Invoices and credit memos take order number, store and destination from their order. A document whose order was not
    read is listed under the order's id, so that it cannot vanish. `set_apart` holds by level what gift cards and store
    credit paid of a document (it is inside the amounts) and the VAT of its discount. `stores` maps order numbers to
    store views.
    """
    order_rows = orders.assign(
        level="orders",
        document_number=orders["order_number"],
        document_at=orders["placed_at"],
        is_cancelled=orders["state_magento"].isin(["canceled", "cancelled"]),
        store=orders["order_number"].map(stores).fillna("").astype("str"),
    )
    facts = order_rows[["entity_id_magento", "order_number", "store", "country", "postcode_area"]]
    parts = [_with_set_apart(order_rows, set_apart.get("orders"))]
    for level, frame in others.items():
        rows = frame.merge(facts, on="entity_id_magento", how="left").assign(level=level, is_cancelled=False)
        by_id = "Magento order id " + rows["entity_id_magento"].astype("str")
        rows["order_number"] = rows["order_number"].fillna(by_id)
        rows = rows.fillna({"store": "", "country": "", "postcode_area": ""})
        parts.append(_with_set_apart(rows, set_apart.get(level)))
    merged = stacked(parts)
    merged["document_at"] = merged["document_at"].dt.tz_localize(None)
    return shaped("magento_documents", merged.drop_duplicates(["level", "document_number"], keep="last"))


def _with_set_apart(rows: pd.DataFrame, found: pd.DataFrame | None) -> pd.DataFrame:
    """Return the documents with the tender that paid part of them, and the VAT of their discount."""
    if found is None:
        return rows.assign(tender_pence=0, discount_vat_pence=0)
    once = found.drop_duplicates("document_number", keep="last")
    return rows.merge(once, on="document_number", how="left").fillna({"tender_pence": 0, "discount_vat_pence": 0})


def shipments(rows: pd.DataFrame, orders: pd.DataFrame) -> pd.DataFrame:
    """Return one row per line of a shipment, under the order's number."""
    numbers = orders[["entity_id_magento", "order_number"]].drop_duplicates("entity_id_magento")
    found = rows.merge(numbers, on="entity_id_magento")
    found["shipped_at"] = found["shipped_at"].dt.tz_localize(None)
    return shaped("magento_shipments", found.drop_duplicates(["shipment_number", "line_number"], keep="last"))


def lines(
    documents: pd.DataFrame,
    order_lines: pd.DataFrame,
    delivery_rates: Mapping[str, str],
    others: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """Return one row per charge. Rates are those of the order's lines; a document's delivery has the order's rate."""
    rates = pd.Series(delivery_rates, dtype="str")
    goods = order_lines.assign(
        level="orders",
        document_number=order_lines["order_number"],
        charge="goods",
        order_line_number=order_lines["line_number"],
        vat_rate_hundredths=hundredths(order_lines["vat_rate_percent"]),
    )
    order_documents = documents[documents["level"] == "orders"]
    has_delivery = (order_documents["delivery_gross_pence"] != 0) | (order_documents["delivery_vat_pence"] != 0)
    delivery = order_documents[has_delivery].assign(
        charge="delivery",
        line_number=10_000_000,
        sku="",
        vat_rate_hundredths=hundredths(order_documents["order_number"].map(rates)),
        **{amount: order_documents[source] for amount, source in zip(AMOUNTS, DELIVERY_AMOUNTS, strict=True)},
    )
    of_item = goods[["order_number", "item_id_magento", "order_line_number", "vat_rate_hundredths"]].drop_duplicates(
        ["order_number", "item_id_magento"]
    )
    parts = [goods, delivery]
    for level, frame in others.items():
        numbers = documents.loc[documents["level"] == level, ["document_number", "order_number"]]
        rows = frame.merge(numbers, on="document_number").merge(
            of_item, on=["order_number", "item_id_magento"], how="left"
        )
        is_delivery = rows["charge"] == "delivery"
        of_delivery = hundredths(rows["order_number"].map(rates))
        rows["vat_rate_hundredths"] = rows["vat_rate_hundredths"].where(~is_delivery, of_delivery)
        parts.append(rows.assign(level=level))
    merged = stacked(parts)
    return shaped("magento_lines", with_remainders(documents, merged))
