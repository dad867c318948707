"""What the settings say about importing orders, as the plain values that the pure steps take."""

from datetime import UTC, datetime, timedelta

from schemas.rules import (
    DeliveryRule,
    NumberRule,
    OrderRules,
    PaymentRule,
    SizeRule,
    StoreRule,
    TenderRule,
    VatPeriod,
)
from tasks.settings.file import Settings


def order_rules_of(settings: Settings) -> OrderRules:
    """Return what the settings say about importing orders."""
    rates: dict[str, list[VatPeriod]] = {}
    for entry in settings.vat_rates:
        period = VatPeriod(frozenset(entry.rates), entry.first_date, entry.last_date)
        rates.setdefault(entry.country, []).append(period)
    prima = settings.prima.orders
    return OrderRules(
        import_states=frozenset(settings.orders.import_states),
        start_date=settings.orders.start_date,
        stores={
            store.id: StoreRule(
                store.code,
                store.is_imported,
                store.order_channel or prima.order_channel,
                store.brand,
                import_states=None if store.import_states is None else frozenset(store.import_states),
                import_statuses=None if store.import_statuses is None else frozenset(store.import_statuses),
                start_date=store.start_date,
                minimum_age=_time(minutes=store.minimum_age_minutes),
                expire_unpaid=_time(days=store.expire_unpaid_days),
                import_when=store.import_when,
            )
            for store in settings.stores
        },
        payments={
            code: PaymentRule(
                method.pay_method,
                method.sub_pay_method,
                method.pay_provider,
                method.order_category,
                method.import_when,
            )
            for code, method in settings.payment_methods.items()
        },
        deliveries={
            code: DeliveryRule(method.charge, method.carrier, method.service)
            for code, method in settings.delivery_methods.items()
        },
        vat_rates=rates,
        number=number_rule(settings),
        shipped_before_posting=settings.orders.shipped_before_posting,
        is_held_in_prima=prima.hold_orders,
        import_statuses=frozenset(settings.orders.import_statuses),
        minimum_age=timedelta(minutes=settings.orders.minimum_age_minutes),
        expire_unpaid=_time(days=settings.orders.expire_unpaid_days),
        as_at=datetime.now(UTC),
        tenders={
            kind: TenderRule(codes.pay_method, codes.sub_pay_method, codes.pay_provider)
            for kind, codes in settings.tender.codes().items()
        },
        takes_several_payments=prima.several_payments,
        actions=settings.orders.actions,
        countries=frozenset(settings.orders.countries),
        sizes=size_rule(settings),
        bundles=settings.orders.bundles,
        has_rounding_line=prima.rounding_product is not None,
        duplicate_within=timedelta(minutes=settings.orders.duplicate_minutes),
    )


def number_rule(settings: Settings) -> NumberRule:
    """Return what the settings say about PRIMA's order numbers."""
    prima = settings.prima.orders
    return NumberRule(prima.number_prefix, prima.number_from, prima.number_length, prima.number_digits_only)


def size_rule(settings: Settings) -> SizeRule | None:
    """Return which sizes are children's; None where the settings do not say."""
    sizes = settings.childrens_sizes
    if sizes is None:
        return None
    return SizeRule(sizes.size_in, frozenset(sizes.sizes), sizes.pattern, frozenset(sizes.countries))


def _time(*, minutes: int | None = None, days: int | None = None) -> timedelta | None:
    """Return the time that a setting names, or None where it names none."""
    return None if minutes is None and days is None else timedelta(minutes=minutes or 0, days=days or 0)
