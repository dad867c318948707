"""The ledger's tables, one file a business object.

The migrations in `migrations/versions` make them; a test holds the two together. Money is BIGINT pence, instants are
UTC, `_at` in the name. SQLite and PostgreSQL use the same definitions.
"""

from tasks.systems.ledger.models.alerts import alert_members, alerts, flow_runs
from tasks.systems.ledger.models.batches import batches, watermarks
from tasks.systems.ledger.models.breaks import break_events, breaks, tolerance_policies
from tasks.systems.ledger.models.catalogue import magento_products
from tasks.systems.ledger.models.columns import metadata
from tasks.systems.ledger.models.customers import customers
from tasks.systems.ledger.models.desk import exception_care
from tasks.systems.ledger.models.dispatches import (
    dispatch_inbox,
    dispatch_links,
    dispatch_tracks,
    order_marks,
    status_polls,
)
from tasks.systems.ledger.models.evidence import evidence, evidence_head, personal_data
from tasks.systems.ledger.models.exceptions import exception_events, exceptions
from tasks.systems.ledger.models.mappings import mappings
from tasks.systems.ledger.models.orders import order_lines, orders
from tasks.systems.ledger.models.periods import period_events, periods, prior_period_items
from tasks.systems.ledger.models.postings import leases, postings
from tasks.systems.ledger.models.refunds import credit_notes, refund_lines, refund_matches, refunds
from tasks.systems.ledger.models.stock import stock_bulks, stock_levels, stock_pushes, stock_read_backs
from tasks.systems.ledger.models.stock_cycles import stock_cycles
from tasks.systems.ledger.models.stock_holds import stock_baselines, stock_hold_events, stock_holds

__all__ = [
    "alert_members",
    "alerts",
    "batches",
    "break_events",
    "breaks",
    "credit_notes",
    "customers",
    "dispatch_inbox",
    "dispatch_links",
    "dispatch_tracks",
    "evidence",
    "evidence_head",
    "exception_care",
    "exception_events",
    "exceptions",
    "flow_runs",
    "leases",
    "magento_products",
    "mappings",
    "metadata",
    "order_lines",
    "order_marks",
    "orders",
    "period_events",
    "periods",
    "personal_data",
    "postings",
    "prior_period_items",
    "refund_lines",
    "refund_matches",
    "refunds",
    "status_polls",
    "stock_baselines",
    "stock_bulks",
    "stock_cycles",
    "stock_hold_events",
    "stock_holds",
    "stock_levels",
    "stock_pushes",
    "stock_read_backs",
    "tolerance_policies",
    "watermarks",
]
