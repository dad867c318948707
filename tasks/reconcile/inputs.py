"""What was read from Magento, PRIMA and the ledger, as the staged tables of `schemas/reconciliation.py`. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pandas as pd

from schemas.reconciliation import CAUSES, STAGED
from schemas.rules import NumberRule
from tasks.reconcile import magento_inputs, prima_inputs
from tasks.reconcile.staging import Problem, readable

# Exceptions that say "the import rules keep it out", not "somebody must act".
EXCLUDING_REASONS = (
    "ORDER_CANCELLED",
    "ORDER_CLOSED",
    "STORE_NOT_IMPORTED",
    "BEFORE_START_DATE",
    "PAYMENT_METHOD_NOT_IMPORTED",
    "ORDER_STATE_NOT_IMPORTED",
)


@dataclass(frozen=True, slots=True)
class LedgerOrder:
    """What the ledger knows of an order: `exception_code` is its oldest open exception, empty for none."""

    order_number: str
    order_number_prima: str = ""
    business_date: date | None = None
    state: str = ""
    posted_at: datetime | None = None
    exception_code: str = ""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a run is about, and how far each side was read. Instants are aware UTC."""

    from_date: date
    to_date: date
    run_at: datetime
    magento_as_at: datetime
    prima_as_at: datetime
    prima_evidence: str
    tolerance_pence: int
    lag_hours: int


@dataclass(frozen=True, slots=True)
class Inputs:
    """The staged tables by name, and the records that are not in them or contradict themselves."""

    tables: dict[str, pd.DataFrame]
    problems: list[Problem]


@dataclass(frozen=True, slots=True)
class MagentoSide:
    """Magento's frames after `normalise`: the orders, and every invoice and credit memo of them that was read."""

    orders: pd.DataFrame
    lines: pd.DataFrame
    delivery_rates: Mapping[str, str]
    invoices: pd.DataFrame
    invoice_lines: pd.DataFrame
    creditmemos: pd.DataFrame
    creditmemo_lines: pd.DataFrame


@dataclass(frozen=True, slots=True)
class PrimaSide:
    """PRIMA's extracts after `normalise`, and what is particular to the installation.

    `status_names` maps PRIMA's words to ours; `vat_rates` are the rates, in hundredths of a per cent, that a delivery
    charge may carry; `delivery_products` are the product codes that stand for delivery on an order line.
    """

    extracts: Mapping[str, pd.DataFrame]
    status_names: Mapping[str, str]
    vat_rates: Sequence[int] = (2000,)
    delivery_products: frozenset[str] = field(default_factory=frozenset)


def staged(
    magento: MagentoSide, prima: PrimaSide, ledger: Iterable[LedgerOrder], number: NumberRule, run: RunFacts
) -> Inputs:
    """Return every staged table; `run.input_hash` stays empty until the tables are loaded."""
    known = list(ledger)
    magento_documents, unread = readable(
        "magento_documents",
        magento_inputs.documents(magento.orders, {"invoices": magento.invoices, "refunds": magento.creditmemos}),
    )
    prima_documents, unread_in_prima = readable(
        "prima_documents", prima_inputs.documents(prima.extracts, prima.status_names, prima.delivery_products)
    )
    problems = [
        *(Problem(f"Magento {problem.subject}", problem.detail) for problem in unread),
        *(Problem(f"PRIMA {problem.subject}", problem.detail) for problem in unread_in_prima),
        *prima_inputs.contradictions(prima.extracts),
    ]
    tables = {
        "magento_documents": magento_documents,
        "magento_lines": magento_inputs.lines(
            magento_documents,
            magento.lines,
            magento.delivery_rates,
            {"invoices": magento.invoice_lines, "refunds": magento.creditmemo_lines},
        ),
        "prima_documents": prima_documents,
        "prima_lines": prima_inputs.lines(prima_documents, prima.extracts, prima.vat_rates, prima.delivery_products),
        "order_numbers": order_numbers(magento.orders, known, number),
        "ledger_orders": ledger_orders(known),
        "run": run_row(run, len(problems)),
        "causes": pd.DataFrame(
            [(cause.code, cause.sentence, cause.owner) for cause in CAUSES.values()],
            columns=["cause", "sentence", "owner"],
            dtype="str",
        ),
    }
    return Inputs(tables, problems)


def order_numbers(orders: pd.DataFrame, ledger: Iterable[LedgerOrder], number: NumberRule) -> pd.DataFrame:
    """Return which order each PRIMA number belongs to: by the ledger, else by the rule that makes the numbers."""
    found: dict[str, str] = {}
    pairs = zip(orders["entity_id_magento"].tolist(), orders["order_number"].tolist(), strict=True)
    for entity_id, order_number in pairs:
        computed = number.number(int(entity_id), order_number)
        if computed is not None:
            found[computed] = order_number
    found.update({order.order_number_prima: order.order_number for order in ledger if order.order_number_prima})
    return pd.DataFrame(sorted(found.items()), columns=["order_number_prima", "order_number"], dtype="str")


def ledger_orders(ledger: Iterable[LedgerOrder]) -> pd.DataFrame:
    """Return one row per order that the ledger knows; an exception that only tells of a rule becomes an exclusion."""
    rows = [
        {
            "order_number": order.order_number,
            "business_date": order.business_date,
            "ledger_state": order.state,
            "posted_at": None if order.posted_at is None else order.posted_at.replace(tzinfo=None),
            "exception_code": order.exception_code,
            "exclusion_reason": order.exception_code if order.exception_code in EXCLUDING_REASONS else "",
        }
        for order in sorted(ledger, key=lambda order: order.order_number)
    ]
    names = [column.name for column in STAGED["ledger_orders"].columns]
    return pd.DataFrame(rows, columns=names).astype(
        {
            "order_number": "str",
            "business_date": object,
            "ledger_state": "str",
            "posted_at": "datetime64[us]",
            "exception_code": "str",
            "exclusion_reason": "str",
        }
    )


def run_row(run: RunFacts, rejected_count: int) -> pd.DataFrame:
    """Return the one row that says what the run is about."""
    row: dict[str, Any] = {
        "from_date": run.from_date,
        "to_date": run.to_date,
        "run_at": run.run_at.replace(tzinfo=None),
        "magento_as_at": run.magento_as_at.replace(tzinfo=None),
        "prima_as_at": run.prima_as_at.replace(tzinfo=None),
        "prima_evidence": run.prima_evidence,
        "tolerance_pence": run.tolerance_pence,
        "lag_hours": run.lag_hours,
        "rejected_count": rejected_count,
        "input_hash": "",
    }
    whole = dict.fromkeys(("tolerance_pence", "lag_hours", "rejected_count"), "Int64")
    instants = dict.fromkeys(("run_at", "magento_as_at", "prima_as_at"), "datetime64[us]")
    dates = {"from_date": object, "to_date": object}
    return pd.DataFrame([row]).astype({**whole, **instants, **dates, "prima_evidence": "str", "input_hash": "str"})
