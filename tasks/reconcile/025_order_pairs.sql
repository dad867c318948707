-- order_pairs (working table). Grain: one level, order key and currency. Both sides, their variance and the status.
-- A missing side has no figures and counts as 0; variance = PRIMA - Magento. The lag is counted back from the time up
-- to which the side that lacks the document was read.
create temp table order_pairs as
with magento as (
    select
        level,
        order_number as order_key,
        currency,
        count(*) as magento_count,
        sum(net_pence)::bigint as magento_net_pence,
        sum(vat_pence)::bigint as magento_vat_pence,
        sum(gross_pence)::bigint as magento_gross_pence,
        sum(delivery_vat_pence)::bigint as magento_delivery_vat_pence,
        sum(delivery_gross_pence)::bigint as magento_delivery_gross_pence,
        min(business_date) as magento_date,
        max(document_at) as magento_last_at
    from magento_documents
    group by all
),
prima as (
    select
        level,
        order_key,
        currency,
        string_agg(distinct order_number_prima, ',' order by order_number_prima) as order_number_prima,
        count(*) as prima_count,
        sum(net_pence)::bigint as prima_net_pence,
        sum(vat_pence)::bigint as prima_vat_pence,
        sum(gross_pence)::bigint as prima_gross_pence,
        if(count(delivery_vat_pence) = count(*), sum(delivery_vat_pence), null)::bigint as prima_delivery_vat_pence,
        if(count(delivery_gross_pence) = count(*), sum(delivery_gross_pence), null)::bigint
            as prima_delivery_gross_pence,
        count(*) filter (where not is_cancelled) as prima_live_count,
        min(gross_pence) filter (where not is_cancelled) as prima_least_pence,
        max(gross_pence) filter (where not is_cancelled) as prima_most_pence,
        min(business_date) as prima_date,
        max(document_at) as prima_last_at
    from prima_documents
    group by all
),
joined as (
    select
        coalesce(magento.level, prima.level) as level,
        coalesce(magento.order_key, prima.order_key) as order_key,
        coalesce(magento.currency, prima.currency) as currency,
        coalesce(magento.magento_count, 0) as magento_count,
        coalesce(prima.prima_count, 0) as prima_count,
        magento.* exclude (level, order_key, currency, magento_count),
        prima.* exclude (level, order_key, currency, prima_count),
        coalesce(magento.magento_date, prima.prima_date) as business_date,
        coalesce(prima.prima_net_pence, 0) - coalesce(magento.magento_net_pence, 0) as net_variance_pence,
        coalesce(prima.prima_vat_pence, 0) - coalesce(magento.magento_vat_pence, 0) as vat_variance_pence,
        coalesce(prima.prima_gross_pence, 0) - coalesce(magento.magento_gross_pence, 0) as variance_pence
    from magento
    full outer join prima
        on
            prima.level = magento.level
            and prima.order_key = magento.order_key
            and prima.currency = magento.currency
),
known as (
    select
        joined.*,
        facts.* exclude (order_key),
        run.tolerance_pence,
        run.magento_as_at - to_hours(run.lag_hours) as magento_lag_from,
        run.prima_as_at - to_hours(run.lag_hours) as prima_lag_from,
        bool_or(joined.magento_count = 0) over (partition by joined.level, joined.order_key)
        and bool_or(joined.prima_count = 0) over (partition by joined.level, joined.order_key)
            as is_in_two_currencies,
        case
            when joined.level = 'orders' then joined.prima_live_count > 1
            else
                joined.prima_live_count > joined.magento_count
                and joined.prima_least_pence = joined.prima_most_pence
                and joined.prima_gross_pence = joined.prima_live_count * joined.magento_gross_pence
                and joined.magento_gross_pence <> 0
        end as is_posted_twice
    from joined
    cross join staged.run as run
    left join order_facts as facts on facts.order_key = joined.order_key
)
select
    *,
    case
        when is_posted_twice then 'DUPLICATE_IN_PRIMA'
        when is_in_two_currencies then 'TOTAL_VARIANCE'
        when magento_count > 0 and prima_count > 0
            then
                case
                    when
                        prima_gross_pence is not distinct from magento_gross_pence
                        and prima_vat_pence is not distinct from magento_vat_pence
                        and prima_net_pence is not distinct from magento_net_pence
                        then 'MATCHED'
                    when abs(variance_pence) <= tolerance_pence and abs(vat_variance_pence) <= tolerance_pence
                        then 'WITHIN_TOLERANCE'
                    when level = 'invoices' and is_awaiting_dispatch and variance_pence < 0 then 'TIMING'
                    when abs(variance_pence) <= tolerance_pence then 'VAT_VARIANCE'
                    else 'TOTAL_VARIANCE'
                end
        when prima_count = 0
            then
                case
                    when is_excused then 'EXCLUDED'
                    when level = 'orders' and is_cancelled_in_magento then 'EXCLUDED'
                    when level = 'invoices' and is_awaiting_dispatch then 'TIMING'
                    when magento_last_at > prima_lag_from then 'TIMING'
                    when posted_at is not null and posted_at > prima_lag_from then 'TIMING'
                    else 'MISSING_IN_PRIMA'
                end
        when level <> 'orders' and prima_last_at > magento_lag_from then 'TIMING'
        else 'MISSING_IN_MAGENTO'
    end as status
from known
