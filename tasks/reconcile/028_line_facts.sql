-- line_facts (working table). Grain: one level, order key and currency of which lines differ. What the differing lines
-- have in common, and their names; lines that agree are not in it.
create temp table line_facts as
with judged as (
    select
        variances.*,
        magento_gross_pence is null as is_only_in_prima,
        prima_gross_pence is null as is_only_in_magento,
        magento_qty is distinct from prima_qty as has_other_quantity,
        magento_rate_percent is distinct from prima_rate_percent as has_other_rate,
        (prima_rate_percent * 100)::bigint as prima_rate,
        (magento_rate_percent * 100)::bigint as magento_rate
    from line_variances as variances
    semi join order_pairs
        on
            order_pairs.level = variances.level
            and order_pairs.order_key = variances.order_key
            and order_pairs.currency = variances.currency
            and order_pairs.status <> 'MATCHED'
            and order_pairs.magento_count > 0
            and order_pairs.prima_count > 0
),
fitted as (
    select
        *,
        -- PRIMA's VAT is the VAT of its own amount at its own rate, in one of the ways to round it
        prima_vat_pence in (
            vat_inside(prima_gross_pence, prima_rate),
            vat_by_unit(prima_gross_pence, prima_qty, prima_rate),
            vat_on(prima_net_pence, prima_rate)
        ) as is_consistent,
        -- the price of a unit is the same to the penny
        abs(prima_gross_pence * magento_qty - magento_gross_pence * prima_qty)
        <= greatest(magento_qty, prima_qty) as has_same_price
    from judged
)
select
    level,
    order_key,
    currency,
    -- a remainder, where a document does not agree with its own lines, is no line that somebody added
    bool_and((is_only_in_magento or is_only_in_prima) and line_key >= 0) as is_one_sided,
    bool_and(line_key > 0) as is_goods_only,
    sum(variance_pence) filter (where line_key > 0)::bigint as goods_variance_pence,
    bool_and(coalesce(has_other_rate and is_consistent and not is_only_in_prima, false)) as is_other_rate,
    bool_and(coalesce(has_other_quantity and has_same_price and not has_other_rate, false)) as is_other_quantity,
    bool_and(coalesce(is_consistent and not has_other_quantity and not has_other_rate, false)) as is_other_amount,
    bool_and(coalesce(prima_gross_pence % nullif(prima_qty, 0) = 0, false)) as is_priced_by_unit,
    count(*) as line_count,
    list(
        if(line_key = 0, 'delivery', if(line_key < 0, 'remainder', 'line ' || line_key))
        || if(coalesce(sku, product, '') = '', '', ' (' || coalesce(nullif(sku, ''), product) || ')')
        || case
            when is_only_in_magento then ' only in Magento'
            when is_only_in_prima then ' only in PRIMA'
            when has_other_rate
                then
                    ' ' || coalesce((magento_rate_percent::double)::varchar, 'no rate') || ' % in Magento, '
                    || coalesce((prima_rate_percent::double)::varchar, 'no rate') || ' % in PRIMA'
            when has_other_quantity
                then ' ' || coalesce(magento_qty, 0) || ' in Magento, ' || coalesce(prima_qty, 0) || ' in PRIMA'
            else ''
        end
        order by line_key
    )[1:5] as line_names
from fitted
group by level, order_key, currency
