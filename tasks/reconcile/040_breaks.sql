-- breaks. Grain: one row of order_variances that somebody must act on. Unexplained first, then by value.
-- A break that a person accepted or journalled stays out for as long as its figures are the ones that were settled.
create table breaks as
with valued as (
    select
        variances.*,
        greatest(abs(variances.variance_pence), abs(variances.vat_variance_pence)) as value_pence,
        known.settled_by,
        known.first_seen_at as known_since,
        known.owner as known_owner,
        known.comment,
        known.reason_code
    from order_variances as variances
    left join staged.known_breaks as known
        on
            known.level = variances.level
            and known.order_key = variances.order_key
            and known.currency = variances.currency
    where
        variances.status in (
            'TOTAL_VARIANCE', 'VAT_VARIANCE', 'MISSING_IN_PRIMA', 'MISSING_IN_MAGENTO', 'DUPLICATE_IN_PRIMA'
        )
        and not coalesce(
            known.settled_by <> ''
            and known.variance_pence = variances.variance_pence
            and known.vat_variance_pence = variances.vat_variance_pence,
            false
        )
),
aged as (
    select
        valued.*,
        run.magento_as_at,
        run.prima_as_at,
        policy.materiality_pence,
        -- a break that comes up anew after it was settled begins a new life
        if(coalesce(valued.settled_by, '') = '', coalesce(valued.known_since, run.run_at), run.run_at)
            as first_seen_at,
        run.run_at
    from valued
    cross join staged.run as run
    cross join staged.policy as policy
)
select
    row_number() over (
        order by aged.cause <> 'UNEXPLAINED', aged.value_pence desc, aged.level, aged.order_key, aged.currency
    ) as rank,
    aged.level,
    aged.order_key,
    aged.order_number,
    aged.order_number_prima,
    aged.currency,
    aged.store,
    aged.destination,
    aged.business_date,
    aged.is_carried,
    aged.status,
    aged.cause,
    aged.cause_detail,
    causes.sentence,
    aged.reason,
    aged.value_pence,
    aged.value_pence >= aged.materiality_pence as is_material,
    coalesce(nullif(aged.known_owner, ''), causes.owner) as owner,
    aged.first_seen_at,
    date_diff('day', aged.first_seen_at, aged.run_at) as age_days,
    case
        when date_diff('day', aged.first_seen_at, aged.run_at) <= 1 then '0-1'
        when date_diff('day', aged.first_seen_at, aged.run_at) <= 7 then '2-7'
        when date_diff('day', aged.first_seen_at, aged.run_at) <= 30 then '8-30'
        else '31+'
    end as age_band,
    coalesce(aged.reason_code, '') as reason_code,
    coalesce(aged.comment, '') as comment,
    aged.magento_count,
    aged.prima_count,
    aged.magento_net_pence,
    aged.magento_vat_pence,
    aged.magento_gross_pence,
    aged.prima_net_pence,
    aged.prima_vat_pence,
    aged.prima_gross_pence,
    aged.net_variance_pence,
    aged.vat_variance_pence,
    aged.variance_pence,
    aged.magento_as_at,
    aged.prima_as_at,
    coalesce(ledger.magento_sha256, '') as magento_sha256,
    coalesce(ledger.prima_sha256, '') as prima_sha256
from aged
inner join staged.causes as causes on causes.cause = aged.cause
left join staged.ledger_orders as ledger on ledger.order_number = aged.order_number
order by rank
