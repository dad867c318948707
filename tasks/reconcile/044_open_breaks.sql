-- open_breaks. Grain: one level, order key and currency. Every break that is open after this run: those that it found,
-- and those of other days that it did not look at, as they were last seen.
create table open_breaks as
with run as (
    select run_at from staged.run
)
select
    level,
    order_key,
    currency,
    business_date,
    status,
    cause,
    true as is_of_this_run,
    owner,
    first_seen_at,
    age_days,
    age_band,
    reason_code,
    comment,
    value_pence,
    vat_variance_pence,
    variance_pence
from breaks
union all
select
    known.level,
    known.order_key,
    known.currency,
    known.business_date,
    known.status,
    known.cause,
    false as is_of_this_run,
    known.owner,
    known.first_seen_at,
    date_diff('day', known.first_seen_at, run.run_at) as age_days,
    case
        when date_diff('day', known.first_seen_at, run.run_at) <= 1 then '0-1'
        when date_diff('day', known.first_seen_at, run.run_at) <= 7 then '2-7'
        when date_diff('day', known.first_seen_at, run.run_at) <= 30 then '8-30'
        else '31+'
    end as age_band,
    known.reason_code,
    known.comment,
    known.value_pence,
    known.vat_variance_pence,
    known.variance_pence
from staged.known_breaks as known
cross join run
anti join population on population.level = known.level and population.order_key = known.order_key
where known.settled_by = ''
order by level, order_key, currency
