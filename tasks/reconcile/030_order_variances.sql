-- order_variances. Grain: one level, order key and currency. Pence; variance = PRIMA - Magento. Agreeing rows included.
-- The tolerance policy is applied here: to documents that both sides have, when the cause is one that it names, no line
-- differs by more than it allows, and the tolerated pence of the day stay within its limit. Tolerated pence count on.
create table order_variances as
with causes as (
    select level, order_key, currency, arg_min({'code': cause, 'detail': cause_detail}, priority) as found
    from cause_candidates
    group by all
),
largest_lines as (
    select level, order_key, currency, max(greatest(abs(variance_pence), abs(vat_variance_pence))) as largest_pence
    from line_variances
    group by all
),
judged as (
    select
        pairs.*,
        coalesce(causes.found.code, '') as cause,
        coalesce(causes.found.detail, '') as cause_detail,
        greatest(abs(pairs.variance_pence), abs(pairs.vat_variance_pence)) as value_pence,
        policy.day_pence,
        pairs.status in ('VAT_VARIANCE', 'TOTAL_VARIANCE')
        and not pairs.is_in_two_currencies
        and greatest(abs(pairs.variance_pence), abs(pairs.vat_variance_pence)) <= policy.order_pence
        and coalesce(lines.largest_pence, 0) <= coalesce(policy.line_pence, 9223372036854775807)
        and (
            policy.methods = '' or list_contains(string_split(policy.methods, ','), coalesce(causes.found.code, ''))
        ) as is_tolerable
    from order_pairs as pairs
    cross join staged.policy as policy
    left join causes
        on causes.level = pairs.level and causes.order_key = pairs.order_key and causes.currency = pairs.currency
    left join largest_lines as lines
        on lines.level = pairs.level and lines.order_key = pairs.order_key and lines.currency = pairs.currency
),
tolerable_days as (
    select level, currency, business_date
    from judged
    where is_tolerable
    group by all
    having sum(value_pence) <= coalesce(any_value(day_pence), 9223372036854775807)
)
select
    judged.level,
    judged.order_key,
    judged.currency,
    if(judged.order_key like 'PRIMA %', null, judged.order_key) as order_number,
    judged.order_number_prima,
    judged.store,
    judged.destination,
    judged.business_date,
    judged.is_carried,
    if(judged.is_tolerable and days.level is not null, 'WITHIN_TOLERANCE', judged.status) as status,
    judged.cause,
    judged.cause_detail,
    case
        when judged.is_rejected and judged.status = 'EXCLUDED' then 'RECON_INPUT_REJECTED'
        when judged.exclusion_reason <> '' then judged.exclusion_reason
        when judged.exception_code <> '' then judged.exception_code
        when judged.status = 'EXCLUDED' and judged.is_cancelled_in_magento then 'ORDER_CANCELLED'
        else ''
    end as reason,
    judged.magento_count,
    judged.prima_count,
    judged.magento_net_pence,
    judged.magento_vat_pence,
    judged.magento_gross_pence,
    judged.prima_net_pence,
    judged.prima_vat_pence,
    judged.prima_gross_pence,
    judged.net_variance_pence,
    judged.vat_variance_pence,
    judged.variance_pence,
    judged.comparison_id
from judged
left join tolerable_days as days
    on
        days.level = judged.level
        and days.currency = judged.currency
        and days.business_date = judged.business_date
