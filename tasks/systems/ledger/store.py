"""The ledger as a whole: everything the product must not forget, in one SQLite file or one PostgreSQL database."""

from tasks.systems.ledger.batches import Batches
from tasks.systems.ledger.dispatches import Dispatches
from tasks.systems.ledger.evidence import EvidenceKeeper
from tasks.systems.ledger.exceptions import Exceptions
from tasks.systems.ledger.lanes import Lanes
from tasks.systems.ledger.mappings import Mappings
from tasks.systems.ledger.order_states import OrderStates
from tasks.systems.ledger.orders import Orders
from tasks.systems.ledger.postings import Postings
from tasks.systems.ledger.stock import Stock


class Ledger(Orders, OrderStates, Postings, Exceptions, Batches, Stock, Dispatches, Mappings, EvidenceKeeper, Lanes):
    """`Ledger(url, now=clock)`: the first use raises ConfigurationError until `migrate()` has made the tables.

    One object may be shared by threads; each process opens its own. Every method is one transaction: when it returns,
    what it wrote is committed.
    """
