-- day_totals. Grain: one level, currency, day and VAT rate. Pence; Magento + unexplained + explained = PRIMA.
create table day_totals as
with summed as (
    select
        level,
        currency,
        business_date,
        vat_rate_percent,
        sum(magento_net_pence)::bigint as magento_net_pence,
        sum(magento_vat_pence)::bigint as magento_vat_pence,
        sum(magento_gross_pence)::bigint as magento_gross_pence,
        sum(unexplained_net_pence)::bigint as unexplained_net_pence,
        sum(unexplained_vat_pence)::bigint as unexplained_vat_pence,
        sum(unexplained_gross_pence)::bigint as unexplained_gross_pence,
        sum(explained_net_pence)::bigint as explained_net_pence,
        sum(explained_vat_pence)::bigint as explained_vat_pence,
        sum(explained_gross_pence)::bigint as explained_gross_pence,
        sum(prima_net_pence)::bigint as prima_net_pence,
        sum(prima_vat_pence)::bigint as prima_vat_pence,
        sum(prima_gross_pence)::bigint as prima_gross_pence
    from tie_out
    group by all
)
select
    *,
    magento_net_pence + unexplained_net_pence + explained_net_pence = prima_net_pence
    and magento_vat_pence + unexplained_vat_pence + explained_vat_pence = prima_vat_pence
    and magento_gross_pence + unexplained_gross_pence + explained_gross_pence = prima_gross_pence as is_adding_up
from summed
order by level, currency, business_date, vat_rate_percent desc nulls last
