"""The ledger as a whole: everything the product must not forget, in one SQLite file or one PostgreSQL database."""

from tasks.systems.ledger.alerts import Alerts
from tasks.systems.ledger.batches import Batches
from tasks.systems.ledger.breaks import Breaks
from tasks.systems.ledger.catalogue import Catalogue
from tasks.systems.ledger.customers import Customers
from tasks.systems.ledger.daily import DailyFigures
from tasks.systems.ledger.desk import Desk
from tasks.systems.ledger.dispatch_inbox import DispatchInbox
from tasks.systems.ledger.dispatch_postings import DispatchPostings
from tasks.systems.ledger.erasures import Erasures
from tasks.systems.ledger.exceptions import Exceptions
from tasks.systems.ledger.flow_runs import FlowRuns
from tasks.systems.ledger.invoicing import Invoicing
from tasks.systems.ledger.mappings import Mappings
from tasks.systems.ledger.order_marks import OrderMarks
from tasks.systems.ledger.orders import Orders
from tasks.systems.ledger.periods import Periods
from tasks.systems.ledger.placed import PlacedOrders
from tasks.systems.ledger.policies import TolerancePolicies
from tasks.systems.ledger.proofs import Proofs
from tasks.systems.ledger.refunds import Refunds
from tasks.systems.ledger.repeatable import RepeatablePostings
from tasks.systems.ledger.stock import Stock
from tasks.systems.ledger.stock_checks import StockChecks
from tasks.systems.ledger.stock_cycles import StockCycles
from tasks.systems.ledger.stock_holds import StockHolds
from tasks.systems.ledger.verification import Verification


class Ledger(
    DispatchPostings,
    DispatchInbox,
    Invoicing,
    OrderMarks,
    Orders,
    RepeatablePostings,
    Verification,
    Refunds,
    PlacedOrders,
    Exceptions,
    Desk,
    Batches,
    Breaks,
    TolerancePolicies,
    Periods,
    Proofs,
    Erasures,
    Stock,
    StockHolds,
    StockCycles,
    Catalogue,
    StockChecks,
    Customers,
    Mappings,
    Alerts,
    FlowRuns,
    DailyFigures,
):
    """`Ledger(url, now=clock)`: the first use raises ConfigurationError until `migrate()` has made the tables.

    One object may be shared by threads; each process opens its own. Every method is one transaction: when it returns,
    what it wrote is committed.
    """
