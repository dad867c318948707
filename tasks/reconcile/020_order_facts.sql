-- order_facts (working table). Grain: one order key. What is known of the order itself, whatever document is compared.
create temp table order_facts as
with keys as (
    select distinct order_key from population
),
magento as (
    select
        documents.order_number as order_key,
        bool_or(documents.is_cancelled) filter (where documents.level = 'orders') as is_cancelled_in_magento,
        max(documents.document_at) as magento_made_at
    from staged.magento_documents as documents
    group by documents.order_number
),
destinations as (
    select
        order_number as order_key,
        arg_min(destination, level) as destination,
        arg_min(store, level) as store
    from magento_documents
    group by order_number
),
prima as (
    select
        documents.order_key,
        bool_and(documents.is_cancelled) as is_cancelled_in_prima,
        bool_or(
            not documents.is_cancelled
            and (documents.open_qty > 0 or documents.status_prima in ('accepted', 'part_dispatched'))
        ) as is_awaiting_dispatch
    from staged.prima_documents as documents
    where documents.level = 'orders'
    group by all
)
select
    keys.order_key,
    coalesce(destinations.destination, 'unknown') as destination,
    coalesce(destinations.store, '') as store,
    coalesce(magento.is_cancelled_in_magento, false) as is_cancelled_in_magento,
    coalesce(prima.is_cancelled_in_prima, false) as is_cancelled_in_prima,
    coalesce(prima.is_awaiting_dispatch, false) as is_awaiting_dispatch,
    coalesce(ledger.ledger_state, '') as ledger_state,
    ledger.posted_at,
    ledger.verified_at,
    coalesce(ledger.exception_code, '') as exception_code,
    coalesce(ledger.exclusion_reason, '') as exclusion_reason,
    -- an exception excuses that PRIMA lacks an order only while the ledger does not say that PRIMA has it
    coalesce(ledger.exclusion_reason, '') <> ''
    or (
        coalesce(ledger.exception_code, '') <> ''
        and coalesce(ledger.ledger_state, '') not in ('accepted', 'part_dispatched', 'dispatched', 'closed')
    ) as is_excused
from keys
left join destinations on destinations.order_key = keys.order_key
left join magento on magento.order_key = keys.order_key
left join prima on prima.order_key = keys.order_key
left join staged.ledger_orders as ledger on ledger.order_number = keys.order_key
