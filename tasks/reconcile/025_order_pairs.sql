-- order_pairs (working table). Grain: one level, order key and currency. Both sides, their variance and the status.
-- A missing side has no figures and counts as 0; variance = PRIMA - Magento. The lag is counted back from the time up
-- to which the side that lacks the document was read. Tolerance comes later, when the cause is known.
create temp table order_pairs as
with magento as (
    select
        comparison_id,
        any_value(level) as level,
        any_value(order_number) as order_key,
        any_value(currency) as currency,
        count(*) as magento_count,
        sum(net_pence)::bigint as magento_net_pence,
        sum(vat_pence)::bigint as magento_vat_pence,
        sum(gross_pence)::bigint as magento_gross_pence,
        sum(delivery_vat_pence)::bigint as magento_delivery_vat_pence,
        sum(delivery_gross_pence)::bigint as magento_delivery_gross_pence,
        sum(tender_pence)::bigint as tender_pence,
        sum(discount_vat_pence)::bigint as discount_vat_pence,
        min(business_date) as magento_date,
        max(document_at) as magento_last_at,
        bool_or(is_carried) as is_carried
    from magento_documents
    group by comparison_id
),
prima as (
    select
        comparison_id,
        any_value(level) as level,
        any_value(order_key) as order_key,
        any_value(currency) as currency,
        min(order_number_prima) as order_number_prima,
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
        max(document_at) as prima_last_at,
        max(updated_at) as prima_updated_at,
        bool_or(is_carried) as is_carried
    from prima_documents
    group by comparison_id
),
several as (
    select
        comparison_id,
        string_agg(distinct order_number_prima, ',' order by order_number_prima) as order_numbers_prima
    from prima_documents
    semi join (select comparison_id from prima where prima_count > 1) as more
        on more.comparison_id = prima_documents.comparison_id
    group by comparison_id
),
joined as (
    select
        coalesce(magento.comparison_id, prima.comparison_id) as comparison_id,
        coalesce(magento.level, prima.level) as level,
        coalesce(magento.order_key, prima.order_key) as order_key,
        coalesce(magento.currency, prima.currency) as currency,
        coalesce(magento.magento_count, 0) as magento_count,
        coalesce(prima.prima_count, 0) as prima_count,
        magento.* exclude (comparison_id, level, order_key, currency, magento_count, is_carried),
        prima.* exclude (comparison_id, level, order_key, currency, prima_count, is_carried)
        replace (coalesce(several.order_numbers_prima, prima.order_number_prima) as order_number_prima),
        coalesce(magento.is_carried, prima.is_carried) as is_carried,
        coalesce(magento.magento_date, prima.prima_date) as business_date,
        coalesce(prima.prima_net_pence, 0) - coalesce(magento.magento_net_pence, 0) as net_variance_pence,
        coalesce(prima.prima_vat_pence, 0) - coalesce(magento.magento_vat_pence, 0) as vat_variance_pence,
        coalesce(prima.prima_gross_pence, 0) - coalesce(magento.magento_gross_pence, 0) as variance_pence
    from magento
    full outer join prima on prima.comparison_id = magento.comparison_id
    left join several on several.comparison_id = prima.comparison_id
),
currencies as (
    -- only a document without its other half can be held in another currency over there
    select level, order_key
    from joined
    where magento_count = 0 or prima_count = 0
    group by level, order_key
    having bool_or(magento_count = 0) and bool_or(prima_count = 0)
),
unread as (
    select
        count(*) > 0 as has_orders
    from staged.rejections
    where level = 'orders' and business_date is null and order_number = '' and order_number_prima = ''
),
known as (
    select
        joined.*,
        facts.* exclude (order_key),
        run.magento_as_at - to_hours(run.lag_hours) as magento_lag_from,
        run.prima_as_at - to_hours(run.lag_hours) as prima_lag_from,
        currencies.order_key is not null as is_in_two_currencies,
        rejected.order_key is not null
        -- an invoice can be due only when PRIMA's order could be read
        or (joined.level = 'invoices' and joined.prima_count = 0 and unread.has_orders) as is_rejected,
        coalesce(
            case
                when joined.level = 'orders' then joined.prima_live_count > 1
                else
                    joined.prima_live_count > joined.magento_count
                    and joined.prima_least_pence = joined.prima_most_pence
                    and joined.prima_gross_pence = joined.prima_live_count * joined.magento_gross_pence
                    and joined.magento_gross_pence <> 0
            end,
            false
        ) as is_posted_twice
    from joined
    cross join staged.run as run
    cross join unread
    left join order_facts as facts on facts.order_key = joined.order_key
    left join currencies on currencies.level = joined.level and currencies.order_key = joined.order_key
    left join rejected_keys as rejected on rejected.level = joined.level and rejected.order_key = joined.order_key
)
select
    *,
    case
        when
            magento_count > 0
            and prima_count > 0
            and prima_gross_pence is not distinct from magento_gross_pence
            and prima_vat_pence is not distinct from magento_vat_pence
            and prima_net_pence is not distinct from magento_net_pence
            and not is_posted_twice
            and not is_in_two_currencies
            then 'MATCHED'
        when is_rejected then 'EXCLUDED'
        when is_posted_twice then 'DUPLICATE_IN_PRIMA'
        when is_in_two_currencies then 'TOTAL_VARIANCE'
        when magento_count > 0 and prima_count > 0
            then
                case
                    when level = 'invoices' and is_awaiting_dispatch and variance_pence < 0 then 'TIMING'
                    when variance_pence = 0 then 'VAT_VARIANCE'
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
