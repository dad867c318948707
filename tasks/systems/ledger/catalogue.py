"""The products that Magento is known to have, and bulks of stock that Magento has not finished with."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import delete, func, select, update

from schemas.documents import SourceKey
from tasks.systems.ledger.database import Database, chunks, distinct
from tasks.systems.ledger.models import magento_products, stock_bulks, stock_levels

# Products of these types have a stock of their own.
STOCKED_TYPES = ("simple", "virtual", "downloadable", "giftcard")


class Catalogue(Database):
    """A SKU that Magento does not know is never written: Magento would take it and keep it as an orphan."""

    def see_products(self, products: Iterable[tuple[str, str]]) -> None:
        """Keep (SKU, type) of products that Magento was seen to have now."""
        now = self._now()
        rows = [{"sku": sku, "type_id": kind, "seen_at": now} for sku, kind in sorted(dict(products).items())]
        if not rows:
            return
        insert = self._insert(magento_products)
        set_ = {name: insert.excluded[name] for name in ("type_id", "seen_at")}
        with self._writing("see products") as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=["sku"], set_=set_), rows)

    def forget_products(self, not_seen_since: datetime) -> int:
        """Forget products that a look at all of them did not find, and what Magento held of them; return how many."""
        gone = select(magento_products.c.sku).where(magento_products.c.seen_at < not_seen_since)
        with self._writing("forget products") as connection:
            levels = update(stock_levels).where(stock_levels.c.sku.in_(gone))
            connection.execute(levels.values(confirmed_qty=None, confirmed_at=self._now()))
            return connection.execute(
                delete(magento_products).where(magento_products.c.seen_at < not_seen_since)
            ).rowcount

    def count_products(self) -> int:
        """Return how many products Magento is known to have, of every type."""
        with self._reading("count products") as connection:
            count: int = connection.execute(select(func.count()).select_from(magento_products)).scalar_one()
        return count

    def stocked_products(self, skus: Collection[str] | None = None) -> set[str]:
        """Return those of the SKUs (None: all) that Magento knows as products with a stock of their own."""
        query = select(magento_products.c.sku).where(magento_products.c.type_id.in_(STOCKED_TYPES))
        with self._reading("stocked products") as connection:
            if skus is None:
                return set(connection.execute(query).scalars())
            found: set[str] = set()
            for some in chunks(distinct(skus)):
                found |= set(connection.execute(query.where(magento_products.c.sku.in_(some))).scalars())
            return found

    def open_bulk(self, uuid: str, levels: Collection[SourceKey]) -> None:
        """Remember a bulk that Magento may perform at any later time, and whose levels it holds."""
        row = {
            "uuid": uuid,
            "sent_at": self._now(),
            "settled_at": None,
            "levels": [list(key) for key in sorted(levels)],
        }
        with self._writing("open bulk") as connection:
            connection.execute(stock_bulks.insert(), row)

    def open_bulks(self) -> dict[str, list[SourceKey]]:
        """Return the levels of each bulk that is not settled, by its uuid."""
        query = select(stock_bulks.c.uuid, stock_bulks.c.levels).where(stock_bulks.c.settled_at.is_(None))
        with self._reading("open bulks") as connection:
            return {uuid: [(sku, source) for sku, source in levels] for uuid, levels in connection.execute(query)}

    def settle_bulk(self, uuid: str) -> None:
        """Note that Magento has finished with a bulk."""
        settling = update(stock_bulks).where(stock_bulks.c.uuid == uuid).values(settled_at=self._now())
        with self._writing("settle bulk") as connection:
            connection.execute(settling)
