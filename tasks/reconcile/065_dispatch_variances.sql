-- dispatch_variances. Grain: one order key whose units dispatched by PRIMA are not the units shipped in Magento.
create table dispatch_variances as
with magento as (
    select order_number as order_key, sum(quantity)::bigint as magento_shipped_qty, max(shipped_at) as last_shipped_at
    from staged.magento_shipments
    group by all
),
prima as (
    select
        coalesce(numbers.order_number, 'PRIMA ' || dispatches.order_number_prima) as order_key,
        sum(dispatches.quantity)::bigint as prima_dispatched_qty,
        max(dispatches.dispatched_at) as last_dispatched_at
    from staged.prima_dispatches as dispatches
    left join staged.order_numbers as numbers on numbers.order_number_prima = dispatches.order_number_prima
    group by all
)
select
    coalesce(magento.order_key, prima.order_key) as order_key,
    coalesce(magento.magento_shipped_qty, 0) as magento_shipped_qty,
    coalesce(prima.prima_dispatched_qty, 0) as prima_dispatched_qty,
    coalesce(prima.prima_dispatched_qty, 0) - coalesce(magento.magento_shipped_qty, 0) as variance_qty,
    prima.last_dispatched_at,
    magento.last_shipped_at
from magento
full outer join prima on prima.order_key = magento.order_key
semi join population on population.order_key = coalesce(magento.order_key, prima.order_key)
where coalesce(prima.prima_dispatched_qty, 0) <> coalesce(magento.magento_shipped_qty, 0)
order by order_key
