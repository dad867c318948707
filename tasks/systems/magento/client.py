"""The Magento client: one object with every call that this product makes."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from tasks.settings import MagentoSettings, Secrets
from tasks.systems.magento.bulk import BulkCalls
from tasks.systems.magento.catalogue import CatalogueCalls
from tasks.systems.magento.fulfilment import FulfilmentCalls
from tasks.systems.magento.inventory import InventoryCalls
from tasks.systems.magento.prices import PriceCalls
from tasks.systems.magento.readings import ReadingCalls
from tasks.systems.magento.shop import ShopCalls
from tasks.systems.magento.transport import Transport


class MagentoClient(ReadingCalls, FulfilmentCalls, InventoryCalls, CatalogueCalls, PriceCalls, BulkCalls, ShopCalls):
    """Magento 2.4 over REST. Use it in a `with` block, and keep it: a new one costs a new connection.

    Reads are repeated on 429, 502, 503, 504 and broken connections (`magento.read_attempts`); writes never are. Money
    and quantities are int or Decimal, never float. Every call raises the errors of `tasks/errors.py`:
    SystemUnavailableError (nothing happened), OutcomeUnknownError (a write that may have happened), CallRefusedError
    and NotFoundError (Magento said no), ConfigurationError (address, keys, permissions), UnexpectedResponseError.

    `pace` is called before each request and may wait; the default keeps to `magento.calls_per_second`. Several threads
    may share a client.
    """

    def __init__(self, settings: MagentoSettings, secrets: Secrets, *, pace: Callable[[], None] | None = None) -> None:
        super().__init__(Transport(settings, secrets, pace), settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()
