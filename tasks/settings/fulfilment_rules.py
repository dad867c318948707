"""What the settings say about dispatches, as the plain values that the pure steps take."""

from datetime import timedelta
from typing import Literal

from schemas.acceptance import folded
from schemas.dispatch_census import DispatchCensusRule
from schemas.marks import MarkRule, MarkRules
from schemas.polls import PollRules, PollTier
from schemas.rules import CarrierRule, DispatchRules, ServiceRule
from tasks.settings.file import Settings
from tasks.settings.tuples import stock_tuple


def dispatch_source(settings: Settings) -> Literal["reporting", "drop", "order_status"]:
    """Return where dispatches come from: what the settings say, or the best that they name."""
    wanted, reporting = settings.fulfilment, settings.prima.reporting
    if wanted.source != "auto":
        return wanted.source
    if wanted.drop_folder:
        return "drop"
    return "reporting" if reporting.url or reporting.folder else "order_status"


def dispatch_rules_of(settings: Settings) -> DispatchRules:
    """Return what the settings say about dispatches."""
    services = [settings.prima.orders.delivery_product, settings.prima.orders.rounding_product]
    return DispatchRules(
        carriers={
            code: CarrierRule(
                carrier.title,
                carrier.magento_carrier_code,
                carrier.tracking_url,
                {name: ServiceRule(each.title, each.tracking_url) for name, each in carrier.services.items()},
            )
            for code, carrier in settings.carriers.items()
        },
        unknown_carrier=settings.fulfilment.unknown_carrier,
        notify_customer=settings.fulfilment.notify_customer,
        service_items=frozenset(stock_tuple(service) for service in services if service),
        rest_of_dispatch=settings.fulfilment.rest_of_dispatch,
        names_carriers=dispatch_source(settings) != "order_status",
    )


def mark_rules(settings: Settings) -> MarkRules:
    """Return what the settings say about marks on Magento orders, by store."""
    return {
        store.id: {
            mark: MarkRule(each.status, frozenset(each.in_states), each.comment, each.is_visible)
            for mark, each in store.marks.items()
        }
        for store in settings.stores
    }


def dispatch_census_rule(settings: Settings) -> DispatchCensusRule:
    """Return what the settings say about counting dispatches."""
    return DispatchCensusRule(timedelta(hours=settings.fulfilment.overdue_hours))


def poll_rules(settings: Settings) -> PollRules:
    """Return what the settings say about asking PRIMA for open orders."""
    wanted = settings.fulfilment
    return PollRules(
        tiers=[
            PollTier(timedelta(hours=tier.up_to_hours), timedelta(minutes=tier.every_minutes))
            for tier in wanted.poll_tiers
        ],
        calls=wanted.poll_calls,
        statuses={folded(word): status for word, status in settings.statuses.items()},
    )
