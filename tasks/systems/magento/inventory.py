"""Stock: source items, salable quantities, and the sources and stocks they belong to."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from tasks.errors import IntegrationError, NotFoundError, UnexpectedResponseError
from tasks.systems.magento.errors import wrong_shape
from tasks.systems.magento.search import (
    HIGHEST_INDEX,
    Filter,
    Search,
    encode_query,
    encode_segment,
    key_after,
    lists_of,
)
from tasks.systems.magento.streams import Calls, Record, is_last, unexpected

SOURCE_ITEMS = "/V1/inventory/source-items"

# Source items are four small members each: Magento reads 14,000 a second at this size.
SOURCE_ITEM_PAGE = 1_000
SKUS_PER_LIST = 100


class InventoryCalls(Calls):
    """Calls about stock. A SKU is as it stands in Magento, which compares SKUs without regard to case."""

    def source_items(self, skus: list[str] | None = None, source_code: str | None = None) -> Iterator[list[Record]]:
        """Yield pages of source items `{sku, source_code, quantity, status}`; quantity is int or Decimal.

        All of them, those of the SKUs, those of the source, or both. An unknown SKU yields nothing. Pages follow one
        another by (sku, source_code), never by number.
        """
        base = [Filter("source_code", "eq", source_code)] if source_code is not None else []
        if skus is None:
            yield from self._source_items(base, f"source {source_code or 'any'}")
            return
        for each, count in lists_of(skus, column="sku", longest=SKUS_PER_LIST):
            yield from self._source_items([*base, each], f"{count} SKUs")

    def write_source_items(self, levels: Sequence[tuple[str, str, int]]) -> None:
        """Write `(sku, source_code, quantity)` in one request: absolute quantities, status 1 above zero, else 0.

        Does nothing for an empty list. Raises ValueError for a negative quantity and for a SKU that stands twice for
        a source (Magento would keep the last); CallRefusedError SOURCE_UNKNOWN, after which nothing is saved;
        InputLimitError with the largest number of items that the shop takes. Magento accepts SKUs that it does not
        know: check them first.
        """
        if not levels:
            return
        seen: set[tuple[str, str]] = set()
        items = []
        for sku, source_code, quantity in levels:
            if not isinstance(quantity, int) or isinstance(quantity, bool) or quantity < 0:
                raise ValueError(f"{sku}: {quantity!r} is no quantity for a source")
            key = (sku.strip().casefold(), source_code)
            if key in seen:
                raise ValueError(f"{sku} stands twice for the source {source_code}")
            seen.add(key)
            items.append({"sku": sku, "source_code": source_code, "quantity": quantity, "status": int(quantity > 0)})
        reference = levels[0][0] if len(levels) == 1 else f"{len(levels)} source items"
        answer = self._transport.write(SOURCE_ITEMS, {"sourceItems": items}, reference=reference)
        if answer != []:
            raise wrong_shape("POST", SOURCE_ITEMS, reference, answer)

    def delete_source_items(self, levels: Sequence[tuple[str, str]]) -> None:
        """Remove source items, `(sku, source_code)`; one that does not exist is no error. Nothing for an empty list."""
        if not levels:
            return
        # Magento wants all four members here as well, whatever they say.
        items = [{"sku": sku, "source_code": source, "quantity": 0, "status": 0} for sku, source in levels]
        reference = levels[0][0] if len(levels) == 1 else f"{len(levels)} source items"
        answer = self._transport.write(f"{SOURCE_ITEMS}-delete", {"sourceItems": items}, reference=reference)
        if answer != []:
            raise wrong_shape("POST", f"{SOURCE_ITEMS}-delete", reference, answer)

    def salable_quantity(self, sku: str, stock_id: int) -> Decimal:
        """Return what can be sold of a SKU in a stock: source quantities less reservations, never below 0.

        Raises NotFoundError for an unknown SKU (Magento answers 500; the product is then looked for),
        CallRefusedError for a configurable (NO_STOCK_OF_ITS_OWN) or an unknown stock (STOCK_UNKNOWN).
        """
        route = f"/V1/inventory/get-product-salable-quantity/{encode_segment(sku)}/{stock_id}"
        try:
            answer = self._transport.read(route, reference=sku)
        except UnexpectedResponseError as failed:
            try:
                self.product(sku)
            except NotFoundError as unknown:
                raise unknown from failed
            except IntegrationError:
                raise failed from None
            raise
        if isinstance(answer, bool) or not isinstance(answer, int | Decimal):
            raise unexpected(route, sku, f"the salable quantity is {answer!r}")
        return Decimal(answer)

    def are_products_salable(self, skus: Sequence[str], stock_id: int) -> dict[str, bool]:
        """Return for every SKU whether it can be sold in the stock; a SKU that Magento does not know cannot."""
        route = "/V1/inventory/are-products-salable"
        listed = list(dict.fromkeys(skus))
        found: dict[str, bool] = {}
        for start in range(0, len(listed), HIGHEST_INDEX + 1):
            some = listed[start : start + HIGHEST_INDEX + 1]
            # skus[] named alike, as Magento's handbook has it, would break the signature: see search.encode_query.
            pairs = [(f"skus[{index}]", sku) for index, sku in enumerate(some)] + [("stockId", str(stock_id))]
            answer = self._transport.read(route, query=encode_query(pairs), reference=f"{len(some)} SKUs")
            if not isinstance(answer, list) or not all(isinstance(each, dict) for each in answer):
                raise unexpected(route, f"{len(some)} SKUs", "the answer is not a list of records")
            found |= {str(each.get("sku")): each.get("salable") is True for each in answer}
        return {sku: found.get(sku, False) for sku in listed}

    def product(self, sku: str) -> Record:
        """Return one product as `GET /V1/products/{sku}` gives it. Raises NotFoundError."""
        route = f"/V1/products/{encode_segment(sku)}"
        answer = self._transport.read(route, reference=sku)
        if not isinstance(answer, dict) or "sku" not in answer:
            raise unexpected(route, sku, "the answer is no product")
        return answer

    def _source_items(self, filters: list[Filter], reference: str) -> Iterator[list[Record]]:
        last: tuple[str, str] | None = None
        seen: set[tuple[str, str]] = set()
        while True:
            search = Search(SOURCE_ITEM_PAGE).ascending("sku", "source_code")
            for each in filters:
                search.where(each)
            for group in key_after(("sku", "source_code"), last) if last else []:
                search.where(*group)
            records, total = self._page(SOURCE_ITEMS, search, reference)
            keyed = [((str(each.get("sku")), str(each.get("source_code"))), each) for each in records]
            new = [(key, each) for key, each in keyed if key not in seen]
            if new:
                yield [each for _, each in new]
                seen |= {key for key, _ in new}
                last = new[-1][0]
            if is_last(len(new), len(records), total, search):
                return
            if not new:
                raise unexpected(SOURCE_ITEMS, reference, f"{total} source items are left, but only seen ones come")
