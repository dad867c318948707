-- breaks. Grain: one row of order_variances that somebody must act on. Unexplained first, then by value.
create table breaks as
with valued as (
    select *, greatest(abs(variance_pence), abs(vat_variance_pence)) as value_pence
    from order_variances
    where
        status in ('TOTAL_VARIANCE', 'VAT_VARIANCE', 'MISSING_IN_PRIMA', 'MISSING_IN_MAGENTO', 'DUPLICATE_IN_PRIMA')
)
select
    row_number() over (
        order by valued.cause <> 'UNEXPLAINED', valued.value_pence desc, valued.level, valued.order_key, valued.currency
    ) as rank,
    valued.level,
    valued.order_key,
    valued.order_number,
    valued.order_number_prima,
    valued.currency,
    valued.destination,
    valued.business_date,
    valued.status,
    valued.cause,
    causes.sentence,
    causes.owner,
    valued.reason,
    valued.value_pence,
    valued.magento_count,
    valued.prima_count,
    valued.magento_net_pence,
    valued.magento_vat_pence,
    valued.magento_gross_pence,
    valued.prima_net_pence,
    valued.prima_vat_pence,
    valued.prima_gross_pence,
    valued.net_variance_pence,
    valued.vat_variance_pence,
    valued.variance_pence,
    run.magento_as_at,
    run.prima_as_at
from valued
inner join staged.causes as causes on causes.cause = valued.cause
cross join staged.run as run
order by rank
