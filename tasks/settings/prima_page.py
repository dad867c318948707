"""The page of PRIMA's settings: what is not public, the key that settles it, its default, and why it is a setting.

`python -m tasks.settings.prima_page > docs/prima-settings.md` writes it. Defaults and explanations come from the
settings classes; a test holds the table to them, so that no key is missing and none is made up.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tasks.settings.file import Settings

HEAD = """\
# Settings of PRIMA

PRIMA's web service is not documented in public, and installations differ. What is not known for certain is therefore a
setting; this page lists them by question. The defaults are what one real installation was seen to take, or the harmless
choice. **No default** stands where a wrong guess would corrupt values silently: start-up refuses, and names all that
are missing together.

A key `prima.orders.number_prefix` is `number_prefix` in the table `[prima.orders]` of the settings file. A key with `*`
stands in each entry of its table. `magento-prima check` asks PRIMA, without writing, for most of the answers.
"""
FOOT = """
## Test and live in one file

`profile = "test"` at the top of the file puts the tables `[profiles.test....]` over the others, key by key. Each
profile must name its own PRIMA and its own ledger; all profiles are checked at start-up, whichever is chosen.

```toml
profile = "test"

[profiles.test.prima]
wsdl_url = "http://10.0.0.5:8080/wsatest/wsatest/wsdl?targetURI=urn:omlink"
development_answers = "allow"
[profiles.test.ledger]
url = "sqlite:///var/test-ledger.db"

[profiles.live.prima]
wsdl_url = "http://10.0.0.6:8080/wsalive/wsalive/wsdl?targetURI=urn:omlink"
expected_company = "1"
lowest_stock_rows = 5000
[profiles.live.ledger]
url = "postgresql+psycopg://ledger@db.internal/ledger"
```

## The first hour with a real installation

1. Set `prima.wsdl_url`, and run `magento-prima check`: it prints the form of the envelope, the part names and the
   SOAPAction that it found. It also asks for the state of an order number that cannot exist and prints the whole
   answer: copy the beginning of that text into `prima.status_not_found_text`.
2. Fill `[prima.check]` with a narrow range of products, an item and an order that exist, and run it again: rows and
   time of the range, what PRIMA says of an invented item, the whole answer about a real order (for `[statuses]` and
   `prima.tracking`).
3. Post a test order of quantity 2 on a test installation and read its value in PRIMA's screens: that settles
   `prima.orders.price_meaning`, `vat_lock` and `vat_inclusive`.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One question: its number in the list of unknowns, the keys that settle it, and why they are settings."""

    number: int
    title: str
    keys: tuple[str, ...]
    why: str


def _of(table: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{table}.{name}" for name in names)


ROWS = (
    Row(1, "Addresses, test and live",
        ("profile", *_of("prima", "base_url", "target_uri", "wsdl_url", "endpoint_url")),
        "Every installation has its own; newer servers use another path. Test and live were mixed up before."),
    Row(2, "Operation and company", _of("prima", "operation", "company_id"),
        "Sites with several companies need the operation that takes a company id."),
    Row(3, "Form of the envelope",
        _of("prima.soap", "style", "request_part", "company_part", "answer_part", "company_comes"),
        "Style and part names are not public. They are read from the WSDL; by hand where it is hidden or wrong."),
    Row(4, "SOAPAction", ("prima.soap.soap_action",), "A choice of whoever deployed the service."),
    Row(5, "Access",
        _of("prima", "basic_auth_user", "headers", "secret_header", "ca_file", "client_certificate_file",
            "client_key_file", "proxy_url", "proxy_user", "allow_plain_http"),
        "The service has no password of its own; what stands before it may have one. Plain http to a public host is "
        "refused, because orders are personal data."),
    Row(6, "Declaration and characters", _of("prima", "declaration", "character_policy"),
        "Two declarations are in use, and nothing outside ASCII was ever seen on the wire."),
    Row(7, "Empty attributes", ("prima.orders.send_empty_attributes",), "Only sending all of them is proven."),
    Row(8, "Sizes", _of("prima", "request_size_limit", "skus_per_stock_request", "orders_per_request"),
        "The type of PRIMA's input, its limits and what it does with half a request are unknown."),
    Row(9, "Time-outs and pace",
        _of("prima", "connect_timeout_seconds", "status_timeout_seconds", "order_timeout_seconds",
            "stock_timeout_seconds", "concurrency", "calls_per_minute"),
        "The number of agents is unknown, and a full server queues without limit."),
    Row(10, "Names of request types",
        _of("prima.requests", "create", "status", "stock_list", "stock_range", "cancel", "despatch"),
        "Five are known, the others are not public: empty means that the feature is off."),
    Row(11, "Order number",
        _of("prima.orders", "number_prefix", "number_from", "number_length", "number_digits_only", "number_highest"),
        "The prefix is a convention of the customer, and the longest number is unknown. Start-up checks that the "
        "shop's latest numbers fit, and `number_highest` if it is set; the ledger lets no two orders have one number."),
    Row(12, "UniqueId and TPGUID", _of("prima.orders", "unique_id", "tpguid"), "The habit of one client."),
    Row(13, "A number that exists (E:21)", ("prima.orders.duplicate",), "One recorded case."),
    Row(14, "Price and discount",
        _of("prima.orders", "price_meaning", "price_decimals", "discount_in", "vat_lock", "rounding_product"),
        "A line total was accepted, and nobody knows as what. A wrong choice corrupts values silently."),
    Row(15, "VatInclusive", ("prima.orders.vat_inclusive",), "Must be as the customer's price book has it (E:548)."),
    Row(16, "Delivery",
        ("delivery_methods.*.charge", "delivery_methods.*.carrier", "delivery_methods.*.service",
         *_of("prima.orders", "delivery_as", "delivery_product", "send_zero_charge")),
        "Charge and carrier codes are the customer's set-up."),
    Row(17, "Payment",
        (*_of("payment_methods.*", "pay_method", "sub_pay_method", "pay_provider", "order_category", "import_when"),
         "prima.orders.several_payments"),
        "Payment codes are the customer's set-up."),
    Row(18, "Constants",
        ("stores.*.order_channel", "stores.*.brand",
         *_of("prima.orders", "order_channel", "brand", "source_media", "season", "order_type", "warehouse",
              "hold_orders", "send_currency", "home_currency"),
         *_of("prima.orders.constants", "order", "header", "invoice", "line", "payment")),
        "The customer's set-up. An order in another currency than PRIMA assumes must say so."),
    Row(19, "Address layout",
        _of("prima.orders", "address_lines", "address_line_length", "name_length", "note_length", "country_codes"),
        "Lengths are unknown, and only GB was seen. Nothing is cut without a warning (TEXT_CUT)."),
    Row(20, "Consent, company, VAT number, telephone",
        (*_of("prima.orders.consent", "receive_mail", "receive_email", "receive_text", "receive_phone",
              "receive_mobile", "rent_details"),
         *_of("prima.orders", "company_to", "vat_number_to", "phone_to")),
        "No field for a company or a VAT number is known."),
    Row(21, "Customers", ("prima.orders.customer",),
        "A new customer for each order is proven, using one again is not."),
    Row(22, "SKU to stock tuple", _of("sku", "source", "file", "pattern", "mapped"),
        "What the four matrix codes mean differs by customer."),
    Row(23, "Stock",
        ("stock.figure_from", "stock.sellable", "stock.buffer", "stock.buffers", "prima.largest_stock_shrink_percent",
         *_of("prima.stock.ranges.*", "first", "last"),
         *_of("prima.stock", "missing_row", "date_horizon_days", "placeholder_dates")),
        "Rows come and go, dates lie in the past or at a year's end. A missing row is never zero. The period is the "
        "schedule of the deployment `inventory` in prefect.yaml."),
    Row(24, "Order states", ("statuses", "prima.unknown_status"),
        "The list is incomplete. Words are compared without case, blanks, hyphens; an unknown one is never guessed."),
    Row(25, "Order not found", ("prima.status_not_found_text",),
        "The text is unknown. Any other error is no proof that the order is not there."),
    Row(26, "Tracking", _of("prima.tracking", "source", "number", "carrier", "service"),
        "How tracking numbers leave PRIMA is not public."),
    Row(27, "Dates in orders", _of("prima.orders", "order_date_format", "due_date_format", "due_in_days"),
        "Only the form of answers is known."),
    Row(28, "Errors and attempts",
        (*_of("prima", "attempt_limit", "retry_minutes"), *_of("prima.errors.*", "code", "begins", "kind")),
        "The list of error texts is incomplete. Known without a setting: E:21, E:548, E:194, 14586."),
    Row(29, "Is it the right PRIMA?",
        _of("prima", "lowest_stock_rows", "development_answers", "expected_company"),
        "A test database answered as the live one before."),
    Row(30, "Products, prices, customers", _of("prima.requests", "product", "price", "customer"),
        "No such request type is public; nothing is sent under a name that is a guess."),
    Row(0, "Reporting source", _of("prima.reporting", "url", "folder", "queries", "lag_minutes"),
        "See [prima-reporting.md](prima-reporting.md)."),
    Row(0, "Questions of `magento-prima check`",
        _of("prima.check", "product_from", "product_to", "item", "order_number", "invented_order_number"),
        "What is empty is not asked."),
)  # fmt: skip


def leaves(model: type[BaseModel] = Settings, prefix: str = "") -> Iterable[tuple[str, FieldInfo]]:
    """Yield every key of the settings with its field; entries of lists and tables of tables have `*` in their key."""
    for name, field in model.model_fields.items():
        key, inner = f"{prefix}{name}", _section(field.annotation)
        many = "" if inner is field.annotation else ".*"
        if inner is None or key.endswith(("item", "delivery_product", "rounding_product", "mapped")):
            yield key, field
        else:
            yield from leaves(inner, f"{key}{many}.")


def _section(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in get_args(annotation) if (found := _section(each)) is not None), None)


def page() -> str:
    """Return the page as Markdown."""
    fields = dict(leaves())
    parts = [HEAD]
    for row in ROWS:
        title = f"{row.number}. {row.title}" if row.number else row.title
        parts.append(f"\n## {title}\n\n{row.why}\n\n| Key | Default | Meaning |\n| --- | --- | --- |\n")
        parts += [f"| `{key}` | {_default(fields[key])} | {_meaning(fields[key])} |\n" for key in row.keys]
    return "".join([*parts, FOOT])


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**no default**"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ("", [], {}):
        return "none"
    return f"`{json.dumps(value, ensure_ascii=False, default=_text)}`"


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _meaning(field: FieldInfo) -> str:
    choices = [choice for choice in get_args(field.annotation) if isinstance(choice, str)]
    named = f"one of {', '.join(f'`{choice}`' for choice in choices if choice)}" if choices else ""
    return "; ".join(part for part in (field.description or "", named) if part).replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    print(page(), end="")
