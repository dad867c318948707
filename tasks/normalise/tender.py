"""What of an order was paid by gift card, store credit or reward points: Adobe Commerce's attributes. Pure.

These are means of payment, not discounts: Magento takes them off `grand_total` and leaves prices, VAT and lines alone.
Names: Adobe Commerce's modules GiftCardAccount, CustomerBalance and Reward give each amount to orders, invoices and
credit memos as an extension attribute; some versions repeat it at the top level. Magento Open Source has none of them.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from tasks.normalise.fields import part, pence_of

ATTRIBUTES = {
    "gift_card": "gift_cards_amount",
    "store_credit": "customer_balance_amount",
    "reward_points": "reward_currency_amount",
}


def tender(record: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return `gift_card_pence`, `store_credit_pence` and `reward_points_pence` of a document, 0 where it has none.

    `prefix` is "base_" for the base currency. An amount that is not whole pence is left empty, and so is one that the
    record gives twice and not alike.
    """
    extension = part(record.get("extension_attributes"))
    return {f"{kind}_pence": _amount(extension, record, prefix + name) for kind, name in ATTRIBUTES.items()}


def tender_total(record: Mapping[str, Any], prefix: str) -> Any:
    """Return the sum of all three, in pence; empty when one of them is."""
    return sum(tender(record, prefix).values(), start=0)


def _amount(extension: Mapping[str, Any], record: Mapping[str, Any], name: str) -> Any:
    amounts = [pence_of(held, name) for held in (extension, record) if held.get(name) is not None]
    if not amounts:
        return 0
    if any(pd.isna(amount) for amount in amounts) or len(set(amounts)) > 1:
        return pd.NA
    return amounts[0]
