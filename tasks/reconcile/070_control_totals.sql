-- control_totals. Grain: one level and currency. Magento + variances = PRIMA, each of the three summed by itself.
-- Magento's and PRIMA's totals come from the documents, the variances from order_variances, and the VAT table, built
-- from the lines, must give the same totals again. Orders carried from other days are in none of them.
create table control_totals as
with magento as (
    select
        level,
        currency,
        count(*) as magento_count,
        sum(net_pence)::bigint as magento_net_pence,
        sum(vat_pence)::bigint as magento_vat_pence,
        sum(gross_pence)::bigint as magento_gross_pence
    from magento_documents
    where not is_carried
    group by all
),
prima as (
    select
        level,
        currency,
        count(*) as prima_count,
        sum(net_pence)::bigint as prima_net_pence,
        sum(vat_pence)::bigint as prima_vat_pence,
        sum(gross_pence)::bigint as prima_gross_pence
    from prima_documents
    where not is_carried
    group by all
),
variances as (
    select
        level,
        currency,
        sum(net_variance_pence)::bigint as net_variance_pence,
        sum(vat_variance_pence)::bigint as vat_variance_pence,
        sum(variance_pence)::bigint as variance_pence,
        coalesce(sum(variance_pence) filter (where cause not in ('UNEXPLAINED', 'NOT_RECONCILED')), 0)::bigint as explained_variance_pence,
        coalesce(sum(variance_pence) filter (where cause in ('UNEXPLAINED', 'NOT_RECONCILED')), 0)::bigint as unexplained_variance_pence,
        coalesce(sum(vat_variance_pence) filter (where cause not in ('UNEXPLAINED', 'NOT_RECONCILED')), 0)::bigint
            as explained_vat_variance_pence,
        coalesce(sum(vat_variance_pence) filter (where cause in ('UNEXPLAINED', 'NOT_RECONCILED')), 0)::bigint
            as unexplained_vat_variance_pence
    from order_variances
    where not is_carried
    group by all
),
rates as (
    select
        level,
        currency,
        sum(magento_net_pence) as magento_net_pence,
        sum(magento_vat_pence) as magento_vat_pence,
        sum(prima_net_pence) as prima_net_pence,
        sum(prima_vat_pence) as prima_vat_pence
    from vat_by_rate
    group by all
)
select
    variances.level,
    variances.currency,
    coalesce(magento.magento_count, 0) as magento_count,
    coalesce(prima.prima_count, 0) as prima_count,
    coalesce(magento.magento_net_pence, 0) as magento_net_pence,
    coalesce(magento.magento_vat_pence, 0) as magento_vat_pence,
    coalesce(magento.magento_gross_pence, 0) as magento_gross_pence,
    variances.net_variance_pence,
    variances.vat_variance_pence,
    variances.variance_pence,
    coalesce(prima.prima_net_pence, 0) as prima_net_pence,
    coalesce(prima.prima_vat_pence, 0) as prima_vat_pence,
    coalesce(prima.prima_gross_pence, 0) as prima_gross_pence,
    variances.explained_variance_pence,
    variances.unexplained_variance_pence,
    variances.explained_vat_variance_pence,
    variances.unexplained_vat_variance_pence,
    coalesce(magento.magento_net_pence, 0) + variances.net_variance_pence = coalesce(prima.prima_net_pence, 0)
    and coalesce(magento.magento_vat_pence, 0) + variances.vat_variance_pence = coalesce(prima.prima_vat_pence, 0)
    and coalesce(magento.magento_gross_pence, 0) + variances.variance_pence = coalesce(prima.prima_gross_pence, 0)
    and variances.explained_variance_pence + variances.unexplained_variance_pence = variances.variance_pence
    and coalesce(rates.magento_net_pence, 0) = coalesce(magento.magento_net_pence, 0)
    and coalesce(rates.magento_vat_pence, 0) = coalesce(magento.magento_vat_pence, 0)
    and coalesce(rates.prima_net_pence, 0) = coalesce(prima.prima_net_pence, 0)
    and coalesce(rates.prima_vat_pence, 0) = coalesce(prima.prima_vat_pence, 0) as is_adding_up
from variances
left join magento on magento.level = variances.level and magento.currency = variances.currency
left join prima on prima.level = variances.level and prima.currency = variances.currency
left join rates on rates.level = variances.level and rates.currency = variances.currency
order by variances.level, variances.currency
