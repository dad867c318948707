-- vat_boxes. Grain: one currency. What the shop contributes to boxes 1 and 6 of the UK return, on both sides. Pence,
-- Box 6 in whole pounds as well. The net error is what the VAT of PRIMA differs from the VAT that was charged; above the
-- limit it may not be put right on the next return alone: GBP 10,000, or 1 % of Box 6 up to GBP 50,000 (Notice 700/45).
create table vat_boxes as
with summed as (
    select
        any_value(basis) as basis,
        currency,
        coalesce(sum(magento_vat_pence) filter (where is_box_1), 0)::bigint as magento_box_1_pence,
        coalesce(sum(prima_vat_pence) filter (where is_box_1), 0)::bigint as prima_box_1_pence,
        coalesce(sum(magento_net_pence) filter (where is_box_6), 0)::bigint as magento_box_6_pence,
        coalesce(sum(prima_net_pence) filter (where is_box_6), 0)::bigint as prima_box_6_pence,
        coalesce(sum(magento_vat_pence) filter (where not coalesce(is_box_1, false)), 0)::bigint
            as magento_other_vat_pence,
        coalesce(sum(prima_vat_pence) filter (where not coalesce(is_box_1, false)), 0)::bigint
            as prima_other_vat_pence,
        coalesce(sum(vat_variance_pence) filter (where is_box_1 and vat_variance_pence > 0), 0)::bigint
            as overstated_pence,
        coalesce(sum(vat_variance_pence) filter (where is_box_1 and vat_variance_pence < 0), 0)::bigint
            as understated_pence
    from vat_return
    group by currency
),
limited as (
    select
        *,
        overstated_pence + understated_pence as net_error_pence,
        greatest(1000000, least(prima_box_6_pence // 100, 5000000)) as error_limit_pence
    from summed
)
select
    basis,
    currency,
    magento_box_1_pence,
    prima_box_1_pence,
    magento_box_6_pence,
    prima_box_6_pence,
    magento_box_6_pence // 100 as magento_box_6_pounds,
    prima_box_6_pence // 100 as prima_box_6_pounds,
    magento_other_vat_pence,
    prima_other_vat_pence,
    overstated_pence,
    understated_pence,
    net_error_pence,
    error_limit_pence,
    abs(net_error_pence) > error_limit_pence as is_above_limit
from limited
order by currency
