-- vat_by_rate. Grain: one level, currency, destination and VAT rate. Pence; variance = PRIMA - Magento.
create table vat_by_rate as
select
    level,
    currency,
    destination,
    vat_rate_percent,
    sum(magento_net_pence)::bigint as magento_net_pence,
    sum(magento_vat_pence)::bigint as magento_vat_pence,
    sum(magento_gross_pence)::bigint as magento_gross_pence,
    sum(prima_net_pence)::bigint as prima_net_pence,
    sum(prima_vat_pence)::bigint as prima_vat_pence,
    sum(prima_gross_pence)::bigint as prima_gross_pence,
    sum(prima_net_pence - magento_net_pence)::bigint as net_variance_pence,
    sum(prima_vat_pence - magento_vat_pence)::bigint as vat_variance_pence,
    sum(prima_gross_pence - magento_gross_pence)::bigint as variance_pence
from tie_out
group by level, currency, destination, vat_rate_percent
order by level, currency, destination, vat_rate_percent desc nulls last
