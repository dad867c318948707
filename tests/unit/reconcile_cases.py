"""Both sides of a reconciliation, said in a few words: agreeing by default, a test names only what differs.

Amounts are pence. Orders are placed on 22 November 2026 at noon; both sides were read on the 25th, so that the lag of
24 hours is over.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from schemas.breaks import KnownBreak, TolerancePolicy
from schemas.rules import NumberRule, SizeRule
from tasks.normalise.sales_documents import DOCUMENT_TYPES, LINE_TYPES
from tasks.normalise.shipments import shipments
from tasks.reconcile.inputs import LedgerOrder, LedgerSide, MagentoSide, PrimaSide, RunFacts, staged
from tasks.reconcile.payment_inputs import MoneySide
from tasks.reconcile.run import Reconciliation, publish
from tasks.reconcile.staging import Problem
from tasks.systems.warehouse import Warehouse

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
READ_AT = datetime(2026, 11, 25, 2, tzinfo=UTC)
DAY = date(2026, 11, 22)
NUMBER = NumberRule("3", "entity_id", 8)
STATUS_NAMES = {
    "New": "accepted",
    "Part Despatched": "part_dispatched",
    "Despatched": "dispatched",
    "Cancelled": "cancelled",
}
Line = tuple[Any, ...]  # rate in per cent, gross, VAT, and the quantity where it is not 3
A_LINE: Line = ("20", 5997, 999)
DELIVERY = (395, 66)

ORDER_TYPES: dict[str, Any] = {
    "order_number": "str",
    "entity_id_magento": "Int64",
    "state_magento": "str",
    "placed_at": "datetime64[us, UTC]",
    "business_date": object,
    "currency": "str",
    "payment_method": "str",
    "country": "str",
    "postcode_area": "str",
    **{f"{part}{amount}_pence": "Int64" for part in ("", "goods_", "delivery_") for amount in ("net", "vat", "gross")},
}
ORDER_LINE_TYPES: dict[str, Any] = {
    "order_number": "str",
    "line_number": "Int64",
    "item_id_magento": "Int64",
    "sku": "str",
    "quantity": "Int64",
    "vat_rate_percent": "str",
    "net_pence": "Int64",
    "vat_pence": "Int64",
    "gross_pence": "Int64",
}
AMOUNT_TYPES = {"net_pence": "Int64", "vat_pence": "Int64", "gross_pence": "Int64"}
EXTRACT_TYPES: dict[str, dict[str, Any]] = {
    "sales_orders": {
        "order_number_prima": "str",
        "status": "str",
        "currency": "str",
        "ordered_at": "datetime64[us, UTC]",
        **AMOUNT_TYPES,
        **{f"delivery_{name}": kind for name, kind in AMOUNT_TYPES.items()},
        "updated_at": "datetime64[us, UTC]",
    },
    "sales_order_lines": {
        "order_number_prima": "str",
        "line_number": "Int64",
        "product": "str",
        **dict.fromkeys(("mtrx1", "mtrx2", "mtrx3", "mtrx4"), "str"),
        "quantity": "Int64",
        "quantity_dispatched": "Int64",
        "quantity_cancelled": "Int64",
        "vat_rate": "str",
        **AMOUNT_TYPES,
    },
    "invoices": {
        "invoice_number": "str",
        "order_number_prima": "str",
        "invoice_date": object,
        "currency": "str",
        **AMOUNT_TYPES,
        "updated_at": "datetime64[us, UTC]",
    },
    "invoice_lines": {
        "invoice_number": "str",
        "line_number": "Int64",
        "order_number_prima": "str",
        "line_type": "str",
        "order_line_number": "Int64",
        "product": "str",
        **dict.fromkeys(("mtrx1", "mtrx2", "mtrx3", "mtrx4"), "str"),
        "quantity": "Int64",
        "vat_rate": "str",
        **AMOUNT_TYPES,
    },
    "credit_notes": {
        "credit_note_number": "str",
        "order_number_prima": "str",
        "credit_note_date": object,
        "currency": "str",
        **AMOUNT_TYPES,
        "updated_at": "datetime64[us, UTC]",
    },
    "dispatches": {
        "dispatch_number": "str",
        "order_number_prima": "str",
        "dispatched_at": "datetime64[us, UTC]",
        "tracking_numbers": "str",
    },
    "dispatch_lines": {
        "dispatch_number": "str",
        "line_number": "Int64",
        "order_number_prima": "str",
        "product": "str",
        **dict.fromkeys(("mtrx1", "mtrx2", "mtrx3", "mtrx4"), "str"),
        "quantity": "Int64",
    },
}


def quantity_of(line: Line) -> int:
    return line[3] if len(line) > 3 else 3


def amounts(gross: int, vat: int, prefix: str = "") -> dict[str, int]:
    return {f"{prefix}net_pence": gross - vat, f"{prefix}vat_pence": vat, f"{prefix}gross_pence": gross}


def frame(rows: list[dict[str, Any]], types: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(types)).astype(types)


class Case:
    """One reconciliation to be run: add documents to either side, then `result()`."""

    def __init__(self, folder: Path, **run: Any) -> None:
        self.warehouse = Warehouse(folder)
        facts = RunFacts(DAY, DAY, READ_AT, READ_AT, READ_AT, "reporting", lag_hours=24, run_id="0123abcd")
        self.run = replace(facts, **run)
        self.ledger: list[LedgerOrder] = []
        self.breaks: list[KnownBreak] = []
        self.read_keys: set[tuple[str, str]] | None = None
        self.policy = TolerancePolicy()
        self.unread: list[Problem] = []
        self.size_rule: SizeRule | None = None
        self.money = MoneySide()
        self.set_apart: dict[str, pd.DataFrame] = {}
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._delivery_rates: dict[str, str] = {}

    def _add(self, table: str, **row: Any) -> None:
        self._rows.setdefault(table, []).append(row)

    def magento(
        self,
        number: int,
        *lines: Line,
        delivery: tuple[int, int] = DELIVERY,
        delivery_rate: str = "20",
        placed_at: datetime = NOON,
        **changes: Any,
    ) -> str:
        """Add Magento order `number` (its entity id); return its order number."""
        order_number = f"{number:09d}"
        lines = lines or (A_LINE,)
        goods = sum(line[1] for line in lines), sum(line[2] for line in lines)
        order: dict[str, Any] = {
            "order_number": order_number,
            "entity_id_magento": number,
            "state_magento": "processing",
            "placed_at": placed_at,
            "business_date": pd.Series([placed_at]).dt.tz_convert("Europe/London").dt.date[0],
            "currency": "GBP",
            "payment_method": "stripe_payments",
            "country": "GB",
            "postcode_area": "M",
            **amounts(*goods, "goods_"),
            **amounts(*delivery, "delivery_"),
            **amounts(goods[0] + delivery[0], goods[1] + delivery[1]),
        }
        self._add("orders", **{**order, **changes})
        for position, line in enumerate(lines, start=1):
            rate, gross, vat = line[:3]
            self._add(
                "lines",
                order_number=order_number,
                line_number=position,
                item_id_magento=number * 100 + position,
                sku=f"SKU-{position}",
                quantity=quantity_of(line),
                vat_rate_percent=rate,
                **amounts(gross, vat),
            )
        self._delivery_rates[order_number] = delivery_rate
        return order_number

    def prima(
        self,
        number: int | str,
        *lines: Line,
        delivery: tuple[int, int] = DELIVERY,
        status: str = "Despatched",
        ordered_at: datetime = NOON + timedelta(minutes=5),
        **changes: Any,
    ) -> str:
        """Add PRIMA's sales order for Magento order id `number` (or under the given PRIMA number)."""
        own = NUMBER.number(number, "") if isinstance(number, int) else number
        assert own is not None
        lines = lines or (A_LINE,)
        goods = sum(line[1] for line in lines), sum(line[2] for line in lines)
        order: dict[str, Any] = {
            "order_number_prima": own,
            "status": status,
            "currency": "GBP",
            "ordered_at": ordered_at,
            **amounts(goods[0] + delivery[0], goods[1] + delivery[1]),
            **amounts(*delivery, "delivery_"),
            "updated_at": ordered_at,
        }
        self._add("sales_orders", **{**order, **changes})
        for position, line in enumerate(lines, start=1):
            rate, gross, vat = line[:3]
            self._add(
                "sales_order_lines",
                order_number_prima=own,
                line_number=position,
                product=f"P{position}",
                quantity=quantity_of(line),
                quantity_dispatched={"Despatched": quantity_of(line), "Part Despatched": 1}.get(status, 0),
                quantity_cancelled=quantity_of(line) if status == "Cancelled" else 0,
                vat_rate=rate,
                **amounts(gross, vat),
            )
        return own

    def magento_invoice(self, document: str, number: int, *lines: Line, at: datetime = NOON) -> None:
        """Add a Magento invoice of order id `number`, with delivery."""
        self._magento_document("invoices", document, number, lines or (A_LINE,), DELIVERY, at)

    def magento_refund(self, document: str, number: int, *lines: Line, at: datetime = NOON) -> None:
        """Add a Magento credit memo of order id `number`, without delivery."""
        self._magento_document("creditmemos", document, number, lines or (A_LINE,), (0, 0), at)

    def _magento_document(
        self, table: str, document: str, number: int, lines: tuple[Line, ...], delivery: tuple[int, int], at: datetime
    ) -> None:
        goods = sum(line[1] for line in lines), sum(line[2] for line in lines)
        self._add(
            table,
            document_number=document,
            entity_id_magento=number,
            currency="GBP",
            document_at=at,
            business_date=at.date(),
            **amounts(goods[0] + delivery[0], goods[1] + delivery[1]),
            **amounts(*delivery, "delivery_"),
        )
        charges = [("goods", *line[:3], quantity_of(line)) for line in lines]
        if delivery[0]:
            charges.append(("delivery", "20", *delivery, 1))
        for position, (charge, _, gross, vat, quantity) in enumerate(charges, start=1):
            self._add(
                f"{table}_lines",
                document_number=document,
                line_number=position,
                charge=charge,
                item_id_magento=number * 100 + position if charge == "goods" else pd.NA,
                sku=f"SKU-{position}" if charge == "goods" else "",
                quantity=quantity if charge == "goods" else pd.NA,
                **amounts(gross, vat),
            )

    def prima_invoice(
        self,
        document: str,
        number: int,
        *lines: Line,
        delivery: tuple[int, int] = DELIVERY,
        at: datetime = NOON,
        **changes: Any,
    ) -> None:
        """Add a PRIMA invoice of the order with Magento id `number`, delivery as a line of its own."""
        lines = lines or (A_LINE,)
        charges = [("goods", *line[:3], quantity_of(line)) for line in lines]
        charges += [("delivery", "20", *delivery, 1)] if delivery[0] else []
        total = sum(charge[2] for charge in charges), sum(charge[3] for charge in charges)
        row: dict[str, Any] = {
            "invoice_number": document,
            "order_number_prima": NUMBER.number(number, ""),
            "invoice_date": at.date(),
            "currency": "GBP",
            **amounts(*total),
            "updated_at": at,
        }
        self._add("invoices_prima", **{**row, **changes})
        for position, (charge, rate, gross, vat, quantity) in enumerate(charges, start=1):
            self._add(
                "invoice_lines",
                invoice_number=document,
                line_number=position,
                order_number_prima=NUMBER.number(number, ""),
                line_type=charge,
                order_line_number=pd.NA if charge == "delivery" else position,
                product="" if charge == "delivery" else f"P{position}",
                quantity=quantity,
                vat_rate=rate,
                **amounts(gross, vat),
            )

    def prima_refund(self, document: str, number: int, gross: int, vat: int, at: datetime = NOON) -> None:
        """Add a PRIMA credit note of the order with Magento id `number`."""
        self._add(
            "credit_notes",
            credit_note_number=document,
            order_number_prima=NUMBER.number(number, ""),
            credit_note_date=at.date(),
            currency="GBP",
            **amounts(gross, vat),
            updated_at=at,
        )

    def staged(self) -> dict[str, pd.DataFrame]:
        """Return the staged tables of everything that was added."""
        document_types = {**DOCUMENT_TYPES, "business_date": object}
        rows = {name: self._rows.get(name, []) for name in (*EXTRACT_TYPES, "invoices_prima")}
        rows["invoices"] = rows.pop("invoices_prima")
        magento = MagentoSide(
            orders=frame(self._rows.get("orders", []), ORDER_TYPES),
            lines=frame(self._rows.get("lines", []), ORDER_LINE_TYPES),
            delivery_rates=self._delivery_rates,
            invoices=frame(self._rows.get("invoices", []), document_types),
            invoice_lines=frame(self._rows.get("invoices_lines", []), LINE_TYPES),
            creditmemos=frame(self._rows.get("creditmemos", []), document_types),
            creditmemo_lines=frame(self._rows.get("creditmemos_lines", []), LINE_TYPES),
            shipments=shipments([]),
            set_apart=self.set_apart,
            stores={row["order_number"]: "uk" for row in self._rows.get("orders", [])},
        )
        prima = PrimaSide(
            {name: frame(rows[name], types) for name, types in EXTRACT_TYPES.items()},
            STATUS_NAMES,
            vat_rates=(2000, 500),
            delivery_products=frozenset({"DELIVERY"}),
            size_rule=self.size_rule,
            unread=self.unread,
        )
        read_keys = {(each.level, each.order_key) for each in self.breaks if not each.settled_by}
        ledger = LedgerSide(
            self.ledger, (), self.breaks, read_keys if self.read_keys is None else self.read_keys, self.policy
        )
        return staged(magento, prima, ledger, NUMBER, self.run, self.money).tables

    def result(self) -> Reconciliation:
        """Run the reconciliation and publish it in the folder."""
        return publish(self.staged(), self.warehouse, DAY)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows of a query on the published file."""
        with self.warehouse.read() as reader:
            return reader.rows(sql)

    def row(self, level: str = "orders") -> dict[str, Any]:
        """Run, and return the single row of order_variances at a level."""
        self.result()
        (row,) = self.rows(f"select * from order_variances where level = '{level}'")
        return row
