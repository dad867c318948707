"""Products: which SKUs there are."""

from collections.abc import Iterator

from tasks.systems.magento.search import Filter, Search, lists_of
from tasks.systems.magento.streams import Calls, is_last, unexpected

PRODUCTS = "/V1/products"
FIELDS = "items[id,sku],total_count"
SKUS_PER_LIST = 100


class CatalogueCalls(Calls):
    """Calls about the catalogue as a whole."""

    def product_skus(self) -> Iterator[list[str]]:
        """Yield the SKUs of all products, of every type, page by page; a page follows the last id, never a number."""
        last = 0
        while True:
            search = Search(self._page_size, fields=FIELDS).where(Filter("entity_id", "gt", last))
            records, total = self._page(PRODUCTS, search.ascending("entity_id"), "all products")
            ids = [int(each["id"]) for each in records]
            if ids and (ids != sorted(ids) or ids[0] <= last):
                raise unexpected(PRODUCTS, "all products", "the records are not sorted by their id")
            if records:
                yield [str(each["sku"]) for each in records]
                last = ids[-1]
            if is_last(len(records), len(records), total, search):
                return
            if not records:
                raise unexpected(PRODUCTS, "all products", f"{total} products are left, but none came")

    def product_count(self) -> int:
        """Return how many products there are, of every type. Source: `total_count` of GET /V1/products."""
        _, total = self._page(PRODUCTS, Search(1, fields=FIELDS).ascending("entity_id"), "number of products")
        return total

    def products_there(self, skus: list[str]) -> set[str]:
        """Return those of these SKUs that are products, as Magento spells them."""
        found: set[str] = set()
        for each, count in lists_of(skus, column="sku", longest=min(SKUS_PER_LIST, self._page_size)):
            search = Search(count, fields=FIELDS).where(each)
            records, total = self._page(PRODUCTS, search, f"{count} SKUs")
            if total > len(records):
                raise unexpected(PRODUCTS, f"{count} SKUs", f"{total} products match, but {len(records)} came")
            found |= {str(record["sku"]) for record in records}
        return found
