-- order_variances. Grain: one level, order key and currency. Pence; variance = PRIMA - Magento. Agreeing rows included.
create table order_variances as
with causes as (
    select level, order_key, currency, arg_min(cause, priority) as cause
    from cause_candidates
    group by all
)
select
    pairs.level,
    pairs.order_key,
    pairs.currency,
    if(pairs.order_key like 'PRIMA %', null, pairs.order_key) as order_number,
    pairs.order_number_prima,
    pairs.destination,
    pairs.business_date,
    pairs.status,
    coalesce(causes.cause, '') as cause,
    case
        when pairs.exclusion_reason <> '' then pairs.exclusion_reason
        when pairs.exception_code <> '' then pairs.exception_code
        when pairs.status = 'EXCLUDED' and pairs.is_cancelled_in_magento then 'ORDER_CANCELLED'
        else ''
    end as reason,
    pairs.magento_count,
    pairs.prima_count,
    pairs.magento_net_pence,
    pairs.magento_vat_pence,
    pairs.magento_gross_pence,
    pairs.prima_net_pence,
    pairs.prima_vat_pence,
    pairs.prima_gross_pence,
    pairs.net_variance_pence,
    pairs.vat_variance_pence,
    pairs.variance_pence
from order_pairs as pairs
left join causes
    on causes.level = pairs.level and causes.order_key = pairs.order_key and causes.currency = pairs.currency
order by pairs.level, pairs.order_key, pairs.currency
