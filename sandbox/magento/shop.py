"""The shop behind the stand-in: its websites, views, stocks and sources, its settings and the state it works on."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.magento.errors import Refusal, required, wrong_type
from sandbox.magento.search import Criteria, Limits, Query, read_criteria
from sandbox.magento.store import Store

if TYPE_CHECKING:
    from sandbox.magento.routing import Route

ALL_STORES = 0
DEFAULT_SOURCE = "default"


@dataclass
class ShopSettings:
    """What a merchant sets in the admin, and what the integration may do.

    `allowed` holds the granted resources (None: all). `limits` is Web API input limiting, off when None. `consumer`
    says whether the queue of asynchronous operations runs by itself or only when it is stepped.
    """

    bearer_allowed: bool = False
    allowed: set[str] | None = None
    limits: Limits | None = None
    shipping_shown_with_tax: bool = False
    consumer: Literal["automatic", "stepped"] = "automatic"
    maintenance: bool = False


@dataclass
class Shop:
    """Everything that a route works on."""

    store: Store
    clock: Clock
    faults: Faults
    routes: "list[Route]"
    settings: ShopSettings = field(default_factory=ShopSettings)
    last_pages: dict[str, list[Any]] = field(default_factory=dict)  # what each list answered last, for duplicate_page

    def now(self) -> str:
        """The present time as Magento stores it: UTC, whole seconds, `YYYY-MM-DD HH:MM:SS`."""
        return f"{self.clock.now():%Y-%m-%d %H:%M:%S}"

    def recorded(self, name: str) -> Any:
        """Return a recorded body from the package's data: "websites", "store-views", "tax-rates"..."""
        return recorded(name)

    @cached_property
    def views(self) -> dict[str, int]:
        """Store view ids by code, with `all` for every view."""
        views = {view["code"]: int(view["id"]) for view in recorded("store-views") if view["code"] != "admin"}
        return views | {"all": ALL_STORES}

    @cached_property
    def stocks_of_views(self) -> dict[int, int]:
        """The stock id that orders of each store view reserve on."""
        sites = {site["code"]: site["id"] for site in recorded("websites")}
        stocks = {
            sites[channel["code"]]: int(stock["stock_id"])
            for stock in recorded("stocks")
            for channel in stock["extension_attributes"]["sales_channels"]
        }
        return {int(view["id"]): stocks.get(view["website_id"], 1) for view in recorded("store-views")}

    @cached_property
    def sources_of_stocks(self) -> dict[int, list[str]]:
        """Source codes of each stock, by priority."""
        links: dict[int, list[str]] = {}
        for link in sorted(recorded("stock-source-links"), key=lambda link: link["priority"]):
            links.setdefault(link["stock_id"], []).append(link["source_code"])
        return links

    @cached_property
    def source_codes(self) -> set[str]:
        """Codes of every source that exists."""
        return {source["source_code"] for source in recorded("sources")}

    def views_of_website(self, store_id: int) -> list[int]:
        """Return the ids of the store views that share a website with the given one."""
        sites = {int(view["id"]): view["website_id"] for view in recorded("store-views")}
        return [view for view, site in sites.items() if site == sites.get(store_id)]


_read: dict[str, str] = {}


def recorded(name: str) -> Any:
    """Return a recorded body from the package's data, a fresh copy each time."""
    if name not in _read:
        _read[name] = resources.files("sandbox.magento").joinpath(f"data/{name}.json").read_text("utf-8")
    return json.loads(_read[name])


@dataclass
class Call:
    """One request on its way to a route.

    `operation` is verb and path without /rest and store code; `place` holds the values of the path's placeholders;
    `store_id` is 0 for `all`; `body` is the decoded JSON, {} when there is none.
    """

    shop: Shop
    operation: str
    store_id: int
    place: dict[str, str]
    query: Query
    body: Any

    def number(self, name: str) -> int:
        """Return a placeholder of the path as an int; Refusal 400 when it is none."""
        text = self.place[name]
        if not text.lstrip("-").isdigit():
            raise wrong_type(text, "int")
        return int(text)

    def argument(self, name: str) -> Any:
        """Return a required argument of the body; Refusal 400 when it is missing."""
        if not isinstance(self.body, dict) or self.body.get(name) is None:
            raise required(name)
        return self.body[name]

    def optional(self, name: str, default: Any = None) -> Any:
        """Return an argument of the body, or the default; a body that is no object has no arguments."""
        return self.body.get(name, default) if isinstance(self.body, dict) else default

    def criteria(self, *, needed: bool = True) -> Criteria:
        """Return the search criteria of the query."""
        return read_criteria(self.query, needed=needed, limits=self.shop.settings.limits)

    def check_size(self, items: list[Any], type_name: str) -> None:
        """Raise Refusal 400 when input limiting is on and a list is longer than it allows."""
        limits = self.shop.settings.limits
        if limits is not None and limits.array is not None and len(items) > limits.array:
            parameters = {"type": f"\\Magento\\{type_name}", "max": limits.array}
            raise Refusal(400, 'Maximum items of type "%type" is %max', parameters)


Handler = Callable[[Call], Any]
