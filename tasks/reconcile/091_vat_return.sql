-- vat_return. Grain: one currency, destination and VAT rate. Pence; invoices less refunds dated in the period, on both
-- sides; variance = PRIMA - Magento. Where PRIMA shows no invoices the orders stand for them, and `basis` says so.
create table vat_return as
with basis as (
    select if(prima_evidence = 'reporting', 'invoices less refunds', 'orders') as basis
    from staged.run
),
signed as (
    select
        charges.*,
        basis.basis,
        if(charges.level = 'refunds', -1, 1) as sign
    from vat_charges as charges
    cross join basis
    where
        (basis.basis = 'orders' and charges.level = 'orders')
        or (basis.basis <> 'orders' and charges.level in ('invoices', 'refunds'))
),
summed as (
    select
        basis,
        currency,
        destination,
        vat_rate_percent,
        coalesce(sum(sign * net_pence) filter (where side = 'magento'), 0)::bigint as magento_net_pence,
        coalesce(sum(sign * vat_pence) filter (where side = 'magento'), 0)::bigint as magento_vat_pence,
        coalesce(sum(sign * net_pence) filter (where side = 'prima'), 0)::bigint as prima_net_pence,
        coalesce(sum(sign * vat_pence) filter (where side = 'prima'), 0)::bigint as prima_vat_pence
    from signed
    group by all
)
select
    basis,
    currency,
    destination,
    vat_rate_percent,
    -- Box 1 takes VAT of supplies in the UK, Northern Ireland and the Isle of Man
    destination in ('GB', 'NI', 'IM') as is_box_1,
    -- Box 6 takes these and exports; sales to the EU with foreign VAT belong to a one-stop return
    destination in ('GB', 'NI', 'IM', 'export') or (destination = 'EU' and coalesce(vat_rate_percent = 0, false)) as is_box_6,
    magento_net_pence,
    magento_vat_pence,
    magento_net_pence + magento_vat_pence as magento_gross_pence,
    prima_net_pence,
    prima_vat_pence,
    prima_net_pence + prima_vat_pence as prima_gross_pence,
    prima_net_pence - magento_net_pence as net_variance_pence,
    prima_vat_pence - magento_vat_pence as vat_variance_pence,
    prima_net_pence + prima_vat_pence - magento_net_pence - magento_vat_pence as variance_pence
from summed
order by currency, destination, vat_rate_percent desc nulls last
