"""Whether everything that a run needs is there: settings, secrets, ledger and both systems. Writes nothing."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL

from flows.first_hour import first_hour
from flows.numbers import order_numbers
from tasks import connect
from tasks.errors import (
    CallRefusedError,
    ConfigurationError,
    IntegrationError,
    SystemUnavailableError,
    UnexpectedResponseError,
)
from tasks.settings import CONFIG_VARIABLE, Settings
from tasks.systems.prima.refund_folder import RefundFolder


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One thing that was looked at: `is_good`, and what was found or what is wrong and what to do."""

    name: str
    is_good: bool
    text: str
    is_setting: bool = False


def check_all() -> Iterator[CheckLine]:
    """Yield a line for the settings and then, when they can be read, one for each system and question to PRIMA."""
    try:
        settings = Settings.from_env()
    except ConfigurationError as error:
        for problem in error.problems:
            yield CheckLine("settings", False, problem, is_setting=True)
        return
    yield CheckLine(
        "settings",
        True,
        f"{len(settings.stores)} stores, {len(settings.payment_methods)} payment methods, "
        f"{len(settings.delivery_methods)} delivery methods, {len(settings.carriers)} carriers ({CONFIG_VARIABLE})"
        + (f", profile {settings.profile}" if settings.profile else ""),
    )
    is_prima_there = False
    for line in check_systems(settings):
        is_prima_there = is_prima_there or (line.name == "PRIMA web service" and line.is_good)
        yield line
    if is_prima_there:
        yield from (CheckLine(*found) for found in first_hour(settings))


def check_systems(settings: Settings) -> Iterator[CheckLine]:
    """Yield a line for Prefect, the ledger, Magento, PRIMA, its reporting source and its folder of refunds."""
    looks = dict(LOOKS)
    if settings.refunds.to_prima == "export":
        looks["folder of refunds"] = _refund_folder
    for name, look in looks.items():
        try:
            yield CheckLine(name, True, look(settings))
        except IntegrationError as error:
            yield CheckLine(name, False, str(error), is_setting=isinstance(error, ConfigurationError))


def require(settings: Settings) -> None:
    """Raise what keeps a run from its first call.

    All missing secrets are named together. What the settings must put right (ConfigurationError) comes before a system
    that is merely away.
    """
    _prefect(settings)  # first of all: it may hold the secrets
    connect.secrets().require(*settings.secret_names())
    first: IntegrationError | None = None
    for look in LOOKS.values():
        try:
            look(settings)
        except ConfigurationError:
            raise
        except IntegrationError as error:
            first = first or error
    if first is not None:
        raise first


def _prefect(_: Settings) -> str:
    address = PREFECT_API_URL.value()
    if not address:
        return "no server named in PREFECT_API_URL: each run starts one of its own"
    with get_client(sync_client=True) as client:
        problem = client.api_healthcheck()
    if problem is not None:
        raise SystemUnavailableError(
            f"no Prefect server answers at {address}.",
            system="Prefect",
            next_step="Start it, or correct PREFECT_API_URL; without the variable a run starts a server of its own.",
        )
    return f"server at {address}"


def _ledger(settings: Settings) -> str:
    with connect.open_ledger(settings) as ledger:
        return f"{sum(ledger.count_orders().values())} orders, {len(ledger.exceptions())} open exceptions"


def _magento(settings: Settings) -> str:
    with connect.open_magento(settings) as magento:
        try:
            views = {int(view["id"]): str(view["code"]) for view in magento.store_views() if int(view["id"])}
        except CallRefusedError as error:
            raise ConfigurationError(
                f"no Magento answers at {settings.magento.base_url}: {error.message.rstrip('.')}.",
                system="Magento",
                operation=error.operation,
                next_step="Check magento.base_url and magento.store_code.",
            ) from error
        sources = [str(source["source_code"]) for source in magento.sources()]
        shared = shared_sources(magento.stock_source_links(), connect.stock_rules(settings).sources)
        numbers = order_numbers(settings, magento)
    unmapped = [f"{code} ({store_id})" for store_id, code in views.items() if store_id not in _store_ids(settings)]
    for key, source in _source_settings(settings):
        if source not in sources:
            raise ConfigurationError(f"{key} is {source}, but the shop has {', '.join(sources)}.", system="Magento")
    missing = f"; store views without a [[stores]] entry: {', '.join(unmapped)}" if unmapped else ""
    return f"{len(views)} store views, {len(sources)} sources, {numbers}{shared}{missing}"


def _source_settings(settings: Settings) -> list[tuple[str, str]]:
    """Return each source that the settings name, with its key."""
    named = [("magento.source_code", settings.magento.source_code)]
    named += [(f"stock.warehouses.{place}", source) for place, source in settings.stock.warehouses.items() if source]
    return named + [
        (f"stores ({store.code}) source_code", store.source_code) for store in settings.stores if store.source_code
    ]


def shared_sources(links: Iterable[Mapping[str, Any]], written: Collection[str]) -> str:
    """Return a warning for each source that is written and belongs to several stocks; `links` are Magento's.

    Magento keeps reservations by stock: the open units of one website's orders, which are added to such a source, the
    other website would sell once more.
    """
    stocks: dict[str, list[int]] = {}
    for link in links:
        stocks.setdefault(str(link["source_code"]), []).append(int(link["stock_id"]))
    return "".join(
        f"; source {source} belongs to the stocks {', '.join(map(str, sorted(stocks[source])))}: each would sell the "
        "open units of the others, so give each stock sources of its own"
        for source in written
        if len(stocks.get(source, [])) > 1
    )


def _store_ids(settings: Settings) -> set[int]:
    return {store.id for store in settings.stores}


def _prima(settings: Settings) -> str:
    try:
        with connect.open_prima(settings) as prima:
            return ", ".join(f"{name} {value}" for name, value in prima.describe().items() if value)
    except (SystemUnavailableError, UnexpectedResponseError) as error:
        if "prima.wsdl_url" not in str(error):
            error.next_step = f"{error.next_step} Check prima.wsdl_url: a browser must show XML there.".strip()
        raise


def _reporting(settings: Settings) -> str:
    with connect.open_reporting(settings) as reporting:
        if reporting is None:
            return "none named: no dispatches, and the reconciliation stands on the ledger and OrderStatus"
        items = len(reporting.read("items"))
        return f"{items} items, as at {reporting.as_at():%Y-%m-%d %H:%M} UTC"


def _refund_folder(settings: Settings) -> str:
    return RefundFolder(Path(settings.refunds.export_folder)).check()


# What every run needs. The folder of refunds is not among them: without it only refunds wait.
LOOKS: dict[str, Callable[[Settings], str]] = {
    "Prefect": _prefect,
    "ledger": _ledger,
    "Magento": _magento,
    "PRIMA web service": _prima,
    "PRIMA reporting": _reporting,
}
