"""Batches against their schemas: accepted rows go on, rejected rows keep their reason. Nothing is dropped."""

import pandas as pd
import pandera.pandas as pa
from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.batches import CheckedBatch, rows_of
from schemas.dispatches import DispatchFrames
from schemas.money import pounds_text
from schemas.orders import REJECTED, OrderFrames, OrderLines, Orders
from schemas.reasons import REASONS
from schemas.refund_rows import RefundFrames, RefundLines, Refunds
from schemas.reporting import PrimaDispatches, PrimaDispatchLines


def split_batch(schema: type[pa.DataFrameModel], rows: pd.DataFrame) -> CheckedBatch:
    """Return the rows that fit the schema, and the others with `reason` and `detail`.

    `reason` is the name of a failing check where that is a code of `schemas/reasons`, else ROW_REJECTED; `detail`
    lists column and check. Raises pandera's SchemaErrors when the batch as a whole is wrong (a column is missing).
    """
    rows = rows.reset_index(drop=True)
    try:
        return CheckedBatch(schema.validate(rows, lazy=True), rows.head(0).assign(reason="", detail=""))
    except pa.errors.SchemaErrors as found:
        cases = found.failure_cases
    if cases["index"].isna().any():
        schema.validate(rows, lazy=True)
    by_row = cases.assign(
        code=cases["check"].where(cases["check"].isin(list(REASONS)), REJECTED),
        text=[_detail(case) for case in rows_of(cases)],
    ).groupby("index")
    reasons = by_row["code"].agg(lambda codes: REJECTED if REJECTED in set(codes) else sorted(set(codes))[0])
    details = by_row["text"].agg(lambda texts: "; ".join(sorted(set(filter(None, texts)))))
    rejected = rows.loc[reasons.index].assign(reason=reasons, detail=details)
    return CheckedBatch(schema.validate(rows.drop(index=reasons.index), lazy=True), rejected)


@task(cache_policy=NO_CACHE)
def check_batch(schema: type[pa.DataFrameModel], rows: pd.DataFrame) -> CheckedBatch:
    """Validate one batch; see `split_batch`."""
    return split_batch(schema, rows)


@task(cache_policy=NO_CACHE)
def check_orders(frames: OrderFrames) -> CheckedBatch:
    """Validate orders and their lines; an order with a rejected line is rejected as a whole, with the line's detail."""
    return _with_lines(split_batch(Orders, frames.orders), split_batch(OrderLines, frames.lines), "order_number")


@task(cache_policy=NO_CACHE)
def check_dispatches(frames: DispatchFrames) -> CheckedBatch:
    """Validate dispatches and their lines; a dispatch with a rejected line is rejected as a whole."""
    dispatches = split_batch(PrimaDispatches, frames.dispatches)
    return _with_lines(dispatches, split_batch(PrimaDispatchLines, frames.lines), "dispatch_number")


@task(cache_policy=NO_CACHE)
def check_refunds(frames: RefundFrames) -> CheckedBatch:
    """Validate refunds and their charges; a refund with a rejected charge is rejected as a whole."""
    return _with_lines(split_batch(Refunds, frames.refunds), split_batch(RefundLines, frames.lines), "refund_number")


def _with_lines(whole: CheckedBatch, lines: CheckedBatch, key: str) -> CheckedBatch:
    """Move the rows whose lines were rejected to the rejected ones, and say with each rejected row which lines."""
    if lines.rejected.empty:
        return whole
    named = lines.rejected.assign(
        detail="line " + lines.rejected["line_number"].astype(str) + ": " + lines.rejected["detail"].astype(str)
    )
    by_key = named.groupby(key)
    reasons = by_key["reason"].agg(lambda codes: REJECTED if REJECTED in set(codes) else sorted(set(codes))[0])
    details = by_key["detail"].agg("; ".join)
    is_bad = whole.accepted[key].isin(reasons.index)
    bad = whole.accepted[is_bad]
    bad = bad.assign(reason=bad[key].map(reasons), detail=bad[key].map(details))
    of_lines = whole.rejected[key].map(details)
    known = whole.rejected.assign(detail=whole.rejected["detail"] + ("; " + of_lines).fillna(""))
    return CheckedBatch(whole.accepted[~is_bad], pd.concat([known, bad], ignore_index=True))


def _detail(case: dict[str, object]) -> str:
    """Return what failed, for a person: the figures of a sum that does not tie up, else column, check and value.

    Only figures and codes are checked, so no personal data can show here.
    """
    column = str(case["column"])
    if case["check"] == "not_nullable":
        return f"{column} is empty or cannot be read"
    if case["check"] not in REASONS:
        return f"{column}: {case['check']} (value: {case['failure_case']})"
    if column.endswith("_pence"):
        return f"{column.removesuffix('_pence')} {pounds_text(int(str(case['failure_case'])))}"
    return ""
