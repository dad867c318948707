"""Whether what was read can be true at all: a day that one side has nothing of, a clock that is wrong. Pure."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import pandas as pd

from tasks.reconcile.staging import Problem

# So many documents of a day on one side, and none on the other, are a reading that failed, not as many breaks.
ENOUGH = 5
# Clocks that run further apart than this put orders on the wrong day and make young orders look old.
CLOCK_LIMIT = timedelta(minutes=30)
TAKEN = ("accepted", "part_dispatched", "dispatched", "closed")


def problems(tables: Mapping[str, pd.DataFrame], prima_as_at: datetime | None) -> list[Problem]:
    """Return days without data and clocks that are off; `prima_as_at` is None where PRIMA's figures were not read."""
    if prima_as_at is None:
        return []
    return [*days_without_data(tables), *clocks(tables, prima_as_at)]


def days_without_data(tables: Mapping[str, pd.DataFrame]) -> list[Problem]:
    """Return the days on which one system has orders that both must have, and the other not a single one."""
    magento, prima = (_orders(tables[name]) for name in ("magento_documents", "prima_documents"))
    ledger = tables["ledger_orders"]
    taken = set(ledger.loc[ledger["ledger_state"].isin(TAKEN), "order_number"])
    numbers = dict(tables["order_numbers"].itertuples(index=False, name=None))
    of_prima = {numbers.get(number, "") for number in prima["order_number_prima"]} - {""}
    found = []
    accepted = magento[magento["order_number"].isin(taken) & ~magento["is_cancelled"]]
    for day, rows in _by_day(accepted):
        if len(rows) >= ENOUGH and not of_prima & set(rows["order_number"]):
            detail = f"PRIMA shows none of the {len(rows)} orders of that day that it accepted"
            found.append(Problem(f"PRIMA orders of {day}", detail, "orders", day))
    in_magento = set(magento["order_number"])
    prima = prima.assign(order_number=prima["order_number_prima"].map(numbers).fillna(""))
    for day, rows in _by_day(prima[prima["order_number"].isin(taken)]):
        if len(rows) >= ENOUGH and not in_magento & set(rows["order_number"]):
            detail = f"Magento shows none of the {len(rows)} orders of that day that PRIMA accepted"
            found.append(Problem(f"Magento orders of {day}", detail, "orders", day))
    return found


def clocks(tables: Mapping[str, pd.DataFrame], prima_as_at: datetime) -> list[Problem]:
    """Return a problem when PRIMA's clock is off: its times of orders lie hours from ours, or in the future."""
    prima = _orders(tables["prima_documents"])
    ledger = tables["ledger_orders"][["order_number", "posted_at"]].dropna()
    timed = prima.merge(tables["order_numbers"], on="order_number_prima").merge(ledger, on="order_number")
    if len(timed):
        apart = pd.Timedelta((timed["document_at"] - timed["posted_at"]).median())
        if abs(apart) > CLOCK_LIMIT and (len(timed) >= ENOUGH or abs(apart) > 2 * CLOCK_LIMIT):
            hours = abs(apart) / pd.Timedelta(hours=1)
            way = "ahead of" if apart > pd.Timedelta(0) else "behind"
            detail = (
                f"the times of its orders lie {hours:.1f} hours {way} ours (median of {len(timed)}): days and the lag "
                "of young orders are not to be trusted"
            )
            return [Problem("clock of PRIMA", detail)]
    limit = pd.Timestamp(prima_as_at).tz_localize(None) + CLOCK_LIMIT
    in_future = int((prima["document_at"] > limit).sum())
    if in_future:
        return [Problem("clock of PRIMA", f"{in_future} of its orders lie in the future of its own as-at time")]
    return []


def _by_day(orders: pd.DataFrame) -> list[tuple[date, pd.DataFrame]]:
    return [(day, orders[orders["business_date"] == day]) for day in sorted(orders["business_date"].unique())]


def _orders(documents: pd.DataFrame) -> pd.DataFrame:
    return documents[documents["level"] == "orders"]
