"""Recordings that no contract test replays, and why. Every other one of `tests/recordings/index.txt` is replayed."""

_SAMPLE = "the same document as in orders/sample-orders, which is compared whole"
_GUEST_CART = "a cart over REST: no route of an integration; the stand-in's customers buy through `place_order`"
_CONFIGURABLE = "links and options of configurables: catalogue data, which no route that the client uses reads"

NOT_REPLAYED = {
    "inventory/mixed-load": "a measurement of 30 seconds, without a request; its parts are replayed one by one",
    "orders/emoji-address": _GUEST_CART,
    "orders/emoji-place": _GUEST_CART,
    "orders/one-bank-transfer": _SAMPLE,
    "orders/one-canceled": _SAMPLE,
    "orders/one-closed": _SAMPLE,
    "orders/one-complete": _SAMPLE,
    "orders/one-configurable": _SAMPLE,
    "orders/one-customer": _SAMPLE,
    "orders/one-discount-fixed-cart": _SAMPLE,
    "orders/one-discount-percent": _SAMPLE,
    "orders/one-discount-with-shipping": _SAMPLE,
    "orders/one-guest": _SAMPLE,
    "orders/one-holded": _SAMPLE,
    "orders/one-ireland-from-uk": _SAMPLE,
    "orders/one-jersey": _SAMPLE,
    "orders/one-mixed-vat": _SAMPLE,
    "orders/one-northern-ireland": _SAMPLE,
    "orders/one-partly-shipped": _SAMPLE,
    "orders/one-purchase-order": _SAMPLE,
    "orders/one-three-for-ten": _SAMPLE,
    "orders/one-us": _SAMPLE,
    "orders/one-zero-shipping": _SAMPLE,
    "orders/one-zero-total": _SAMPLE,
    "products/configurable-children": _CONFIGURABLE,
    "products/get-configurable": _CONFIGURABLE,
}
