-- differences. Grain: one level, currency, status and cause. The whole difference, taken apart; unexplained first.
create table differences as
select
    level,
    currency,
    status,
    cause,
    count(*) as order_count,
    sum(net_variance_pence)::bigint as net_variance_pence,
    sum(vat_variance_pence)::bigint as vat_variance_pence,
    sum(variance_pence)::bigint as variance_pence
from order_variances
where not is_carried
group by level, currency, status, cause
order by level, currency, cause <> 'UNEXPLAINED', cause = '', abs(sum(variance_pence)) desc, status, cause
