"""The brakes of a stock snapshot, as every flow applies them that pushes a whole snapshot."""

import pandas as pd

from flows.passing import whole
from schemas.brakes import Verdict
from schemas.stock import StockPlan
from tasks import connect
from tasks.decide import brakes as decide
from tasks.extract import brakes as extract
from tasks.extract import prices as extract_prices
from tasks.record import brakes as record
from tasks.settings import Settings


def judge(accepted: pd.DataFrame, settings: Settings) -> Verdict:
    """Compare a snapshot with the last one that was not held, and with the hold that is open."""
    memory = extract.fetch_brake_memory()
    return decide.verdict(decide.snapshot_of(accepted), memory, connect.brake_rules(settings))


def hold(batch_id: str, found: Verdict, settings: Settings) -> StockPlan:
    """Keep a held snapshot for a person to decide about, and return the plan that pushes nothing."""
    prices = extract_prices.fetch_prices([change.sku for change in found.changes])
    at_risk = decide.risk(found, prices, settings.stock.value_currency)
    hold_id = record.record_hold(batch_id, whole(found), at_risk)
    return decide.held(found, decide.hold_note(found, hold_id, at_risk))
