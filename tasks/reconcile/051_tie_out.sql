-- tie_out. Grain: one level, currency, day, store, destination and VAT rate. Pence; Magento + unexplained + explained
-- = PRIMA. The whole difference of a document is explained when its cause is known; a document that agrees in total but
-- not at each rate is unexplained there, and comes to nothing over its rates. Refunds that agree are never unexplained:
-- PRIMA's credit notes tell no rate.
create table tie_out as
with split as (
    select
        variances.level,
        variances.currency,
        variances.business_date,
        variances.store,
        variances.destination,
        rates.vat_rate_hundredths,
        rates.magento_net_pence,
        rates.magento_vat_pence,
        rates.prima_net_pence,
        rates.prima_vat_pence,
        (
            variances.cause not in ('', 'UNEXPLAINED', 'NOT_RECONCILED')
            or (variances.cause = '' and variances.level = 'refunds')
        )::integer as is_explained
    from order_rates as rates
    inner join order_variances as variances on variances.comparison_id = rates.comparison_id
),
summed as (
    select
        level,
        currency,
        business_date,
        store,
        destination,
        vat_rate_hundredths,
        sum(magento_net_pence)::bigint as magento_net_pence,
        sum(magento_vat_pence)::bigint as magento_vat_pence,
        sum((prima_net_pence - magento_net_pence) * (1 - is_explained))::bigint as unexplained_net_pence,
        sum((prima_vat_pence - magento_vat_pence) * (1 - is_explained))::bigint as unexplained_vat_pence,
        sum((prima_net_pence - magento_net_pence) * is_explained)::bigint as explained_net_pence,
        sum((prima_vat_pence - magento_vat_pence) * is_explained)::bigint as explained_vat_pence,
        sum(prima_net_pence)::bigint as prima_net_pence,
        sum(prima_vat_pence)::bigint as prima_vat_pence
    from split
    group by all
)
select
    level,
    currency,
    business_date,
    store,
    destination,
    (vat_rate_hundredths / 100)::decimal(6, 2) as vat_rate_percent,
    magento_net_pence,
    magento_vat_pence,
    magento_net_pence + magento_vat_pence as magento_gross_pence,
    unexplained_net_pence,
    unexplained_vat_pence,
    unexplained_net_pence + unexplained_vat_pence as unexplained_gross_pence,
    explained_net_pence,
    explained_vat_pence,
    explained_net_pence + explained_vat_pence as explained_gross_pence,
    prima_net_pence,
    prima_vat_pence,
    prima_net_pence + prima_vat_pence as prima_gross_pence
from summed
order by level, currency, business_date, store, destination, vat_rate_percent desc nulls last
