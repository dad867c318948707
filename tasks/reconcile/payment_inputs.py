"""Settlement rows and the payment methods of orders as staged tables. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from schemas.reconciliation import STAGED
from schemas.settlements import Settlement, SettlementFormat
from tasks.reconcile.staging import Problem, shaped
from tasks.systems.settlements import RefusedFile

# What a problem with a settlement file begins with: every run reads the folder anew.
FILE_SUBJECT = "payments "


@dataclass(frozen=True, slots=True)
class MoneySide:
    """What the providers settled. `lag_days` is None where no settlement files are configured.

    `again` are the orders whose money an exception is open about: what this run finds may close it.
    """

    rows: Sequence[Settlement] = field(default=(), repr=False)
    refused: Sequence[RefusedFile] = ()
    formats: Sequence[SettlementFormat] = ()
    lag_days: int | None = None
    again: Collection[str] = ()


def tables(money: MoneySide, orders: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the three staged tables; `orders` are the rows of Magento's orders."""
    providers = {method: form.name for form in money.formats for method in form.methods}
    methods = orders["payment_method"] if "payment_method" in orders else pd.Series("", index=orders.index)
    paid = pd.DataFrame(
        {"order_number": orders["order_number"].astype("str"), "payment_method": methods.fillna("").astype("str")}
    ).drop_duplicates("order_number", keep="last")
    paid["provider"] = paid["payment_method"].map(providers).fillna("").astype("str")
    paid["is_again"] = paid["order_number"].isin(list(money.again))
    lag: list[dict[str, object]] = [] if money.lag_days is None else [{"lag_days": money.lag_days}]
    return {
        "settlements": _frame(
            "settlements", ({n: getattr(row, n) for n in _names("settlements")} for row in money.rows)
        ),
        "order_payments": shaped("order_payments", paid),
        "payment_run": _frame("payment_run", lag),
    }


def problems(money: MoneySide) -> list[Problem]:
    """Return a problem for each file that was refused; it is not reconciled, the rest is."""
    return [Problem(f"{FILE_SUBJECT}{each.name}", each.why) for each in money.refused]


def _settlement_row(row: Settlement) -> dict[str, object]:
    return {name: getattr(row, name) for name in _names("settlements")}


def _names(table: str) -> list[str]:
    return [column.name for column in STAGED[table].columns]


def _frame(table: str, rows: Iterable[dict[str, object]]) -> pd.DataFrame:
    return shaped(table, pd.DataFrame(list(rows), columns=_names(table)))
