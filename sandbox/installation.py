"""The settings file and the environment with which `magento-prima` works against a sandbox.

Each stand-in leaves its part in `DIR/sandbox.json`, so that two of them that are started alone in one folder complete
one another. What is not known yet points at an address where nobody listens.
"""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path

NOBODY = "http://127.0.0.1:9"

TEMPLATE = """\
# Written by the sandbox: everything that `magento-prima` needs to work against it. Secrets are in the file `env`.

[magento]
base_url = "{magento_url}"
calls_per_second = 15
overlap_minutes = 10

[prima]
wsdl_url = "{wsdl_url}"
status_not_found_text = "{not_found_text}"
concurrency = 2
calls_per_minute = 0  # a stand-in needs no pace

[prima.orders]
number_prefix = "30"
number_from = "entity_id"
number_length = 8
price_meaning = "line_gross"
vat_lock = "ext_tax_val"
delivery_as = "line"
delivery_product = {{ product = "DELIVERY" }}
several_payments = true
rounding_product = {{ product = "ROUNDING" }}

[prima.reporting]
url = "{reporting_url}"

[ledger]
url = "{ledger_url}"

[warehouse]
folder = "{warehouse}"

[desk]
folder = "{desk}"

[daily_report]
folder = "{reports}"

[orders]
import_states = ["new", "processing", "complete"]
shipped_before_posting = "post_on_hold"  # the recorded orders come with their shipments
duplicate_minutes = 0  # the recorded orders were placed for few customers, seconds apart

[fulfilment]
settle_seconds = 0  # what the stand-in has not done when it is asked, it will not do

[sku]
source = "items"

[statuses]
"On Order" = "accepted"
Held = "accepted"
"Part Despatched" = "part_dispatched"
Despatched = "dispatched"
Cancelled = "cancelled"

[[stores]]
id = 1
code = "default"
website = "base"

[[stores]]
id = 2
code = "outlet"
website = "base"

[[stores]]
id = 3
code = "uk_eur"
website = "base"

[[stores]]
id = 4
code = "eu_en"
website = "eu"

[payment_methods.checkmo]
pay_method = "CSH"
sub_pay_method = "CHEQUE"
order_category = "CHEQUE"

[payment_methods.banktransfer]
pay_method = "CSH"
sub_pay_method = "BACS"
order_category = "BACS"

[payment_methods.purchaseorder]
pay_method = "ACC"
sub_pay_method = "PO"
order_category = "ACCOUNT"

[payment_methods.free]
pay_method = "CSH"
sub_pay_method = "FREE"
order_category = "FREE"

[tender.gift_card]
pay_method = "VCH"
sub_pay_method = "GIFT"

[tender.store_credit]
pay_method = "ACC"
sub_pay_method = "CREDIT"

[delivery_methods.flatrate_flatrate]
charge = "STD48"

[delivery_methods.freeshipping_freeshipping]
charge = "FREE"

[delivery_methods.tablerate_bestway]
charge = "BEST"

[carriers.DPD]
title = "DPD"
tracking_url = "https://tracking.example/dpd/{{tracking_number}}"

[carriers.RM]
title = "Royal Mail"
tracking_url = "https://tracking.example/rm/{{tracking_number}}"

[carriers.EVRI]
title = "Evri"
tracking_url = "https://tracking.example/evri/{{tracking_number}}"

[[vat_rates]]
country = "GB"
rates = ["20", "5", "0"]

[[vat_rates]]
country = "IM"
rates = ["20", "5", "0"]

[[vat_rates]]
country = "IE"
rates = ["23", "13.5", "0"]

[[vat_rates]]
country = "DE"
rates = ["19", "7"]

[[vat_rates]]
country = "FR"
rates = ["20", "5.5"]
"""


def write_installation(state_dir: Path, part: Mapping[str, str], secrets: Mapping[str, str] | None = None) -> None:
    """Note what one stand-in knows (`part`, `secrets`) and write `config.toml` and `env` from all that is known."""
    state_dir.mkdir(parents=True, exist_ok=True)
    state_dir = state_dir.resolve()
    notes = state_dir / "sandbox.json"
    known: dict[str, dict[str, str]] = {"addresses": {}, "secrets": {}}
    if notes.exists():
        known = json.loads(notes.read_text(encoding="utf-8"))
    known["addresses"] |= part
    known["secrets"] |= secrets or {}
    notes.write_text(json.dumps(known, indent=2), encoding="utf-8")
    notes.chmod(0o600)
    values = {
        "magento_url": NOBODY,
        "wsdl_url": f"{NOBODY}/wsalive/wsalive/wsdl?targetURI=urn:omlink",
        "not_found_text": "",
        "reporting_url": f"sqlite:///{state_dir / 'prima.db'}",
        "ledger_url": f"sqlite:///{state_dir / 'ledger.db'}",
        "warehouse": str(state_dir / "warehouse"),
        "desk": str(state_dir / "desk"),
        "reports": str(state_dir / "reports"),
    } | known["addresses"]
    config = state_dir / "config.toml"
    config.write_text(TEMPLATE.format(**values), encoding="utf-8")
    lines = {"MAGENTO_PRIMA_CONFIG": str(config), **known["secrets"]}
    env = state_dir / "env"
    env.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in lines.items()), encoding="utf-8")
    env.chmod(0o600)
