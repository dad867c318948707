"""Carts and what they become: everything that the Magento stand-in needs to place an order.

`order_document(cart, ids, now)` returns the order; `ids_needed(cart)` says how many numbers to allocate for it.
"""

from sandbox.magento.baskets import (
    STORE_VIEWS,
    VAT_CLASSES,
    Algorithm,
    Cart,
    CartLine,
    Coupon,
    CouponAction,
    Customer,
    PostalAddress,
    StoreView,
    TaxSettings,
)
from sandbox.magento.order_documents import Ids, IdsNeeded, ids_needed, order_document
from sandbox.magento.totals import merged_lines

__all__ = [
    "STORE_VIEWS",
    "VAT_CLASSES",
    "Algorithm",
    "Cart",
    "CartLine",
    "Coupon",
    "CouponAction",
    "Customer",
    "Ids",
    "IdsNeeded",
    "PostalAddress",
    "StoreView",
    "TaxSettings",
    "ids_needed",
    "merged_lines",
    "order_document",
]
