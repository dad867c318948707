"""How the shop is set up: websites, store views, sources, stocks, tax rates, modules."""

from tasks.systems.magento.search import Search, encode_segment
from tasks.systems.magento.streams import Calls, Record, unexpected

# The largest page that Magento permits when its input limiting is switched on with untouched values.
SET_UP_PAGE = 300


class ShopCalls(Calls):
    """Calls about the set-up of the shop: short lists, read whole."""

    def store_configs(self) -> list[Record]:
        """Return one record per store view: base currency, time zone, weight unit, addresses."""
        return self._records("/V1/store/storeConfigs")

    def websites(self) -> list[Record]:
        """Return the websites, the admin's among them (id 0)."""
        return self._records("/V1/store/websites")

    def store_views(self) -> list[Record]:
        """Return the store views, the admin's among them (id 0)."""
        return self._records("/V1/store/storeViews")

    def sources(self) -> list[Record]:
        """Return the inventory sources."""
        return self._whole_list("/V1/inventory/sources")

    def stocks(self) -> list[Record]:
        """Return the stocks with the websites that sell from them."""
        return self._whole_list("/V1/inventory/stocks")

    def stock_source_links(self) -> list[Record]:
        """Return which source serves which stock, with its priority."""
        return self._whole_list("/V1/inventory/stock-source-links")

    def stock_of_website(self, website_code: str) -> Record:
        """Return the stock that a website sells from. Raises NotFoundError."""
        route = f"/V1/inventory/stock-resolver/website/{encode_segment(website_code)}"
        answer = self._transport.read(route, reference=website_code)
        if not isinstance(answer, dict) or "stock_id" not in answer:
            raise unexpected(route, website_code, "the answer is no stock")
        return answer

    def tax_rates(self) -> list[Record]:
        """Return the tax rates: country, region, postcode, rate in per cent as int or Decimal, code."""
        return self._whole_list("/V1/taxRates/search")

    def modules(self) -> list[str]:
        """Return the names of the modules that are switched on."""
        answer = self._transport.read("/V1/modules")
        if not isinstance(answer, list) or not all(isinstance(each, str) for each in answer):
            raise unexpected("/V1/modules", "", "the answer is not a list of names")
        return answer

    def _records(self, route: str) -> list[Record]:
        answer = self._transport.read(route)
        if not isinstance(answer, list) or not all(isinstance(each, dict) for each in answer):
            raise unexpected(route, "", "the answer is not a list of records")
        return answer

    def _whole_list(self, route: str) -> list[Record]:
        """Return a list of the set-up. By page number: such lists stand still, and they have no key in common."""
        found: list[Record] = []
        page = 1
        while True:
            records, total = self._page(route, Search(SET_UP_PAGE, page=page), "")
            found += records
            if len(found) >= total:
                return found
            if not records:
                raise unexpected(route, "", f"{total} entries are announced, but {len(found)} came")
            page += 1
