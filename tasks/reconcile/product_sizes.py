"""Which products of a run have a children's size, by the rule of the settings. Pure."""

from collections.abc import Iterable

import pandas as pd

from schemas.documents import StockTuple
from schemas.reconciliation import STAGED
from schemas.rules import SizeRule
from tasks.reconcile.prima_inputs import products
from tasks.reconcile.staging import shaped

_CODES = ("product", "mtrx1", "mtrx2", "mtrx3", "mtrx4")


def product_sizes(extracts: Iterable[pd.DataFrame], rule: SizeRule | None) -> pd.DataFrame:
    """Return one row per product that stands on a line of these extracts; none without a rule or without a size.

    Destinations are groups: GB stands for Northern Ireland too. Countries beside GB and IM are in groups with others
    and cannot be told apart here.
    """
    names = [column.name for column in STAGED["product_sizes"].columns]
    rows: dict[str, dict[str, object]] = {}
    if rule is not None:
        groups = sorted({"GB", "IM"} & rule.countries | ({"NI"} if "GB" in rule.countries else set()))
        for extract in extracts:
            for values in extract[[*_CODES]].assign(joined=products(extract)).drop_duplicates().itertuples(index=False):
                *codes, joined = ("" if pd.isna(value) else str(value) for value in values)
                item = StockTuple(*codes)
                size = str(getattr(item, rule.size_in))
                if size:
                    row = {"product": joined, "size": size, "is_childs": rule.is_childs(item)}
                    rows[joined] = {**row, "destinations": ",".join(groups)}
    return shaped("product_sizes", pd.DataFrame(list(rows.values()), columns=names))
