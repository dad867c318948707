-- ageing. Grain: one currency and age band of open breaks. Pence.
create table ageing as
select
    currency,
    age_band,
    count(*) as break_count,
    sum(value_pence)::bigint as value_pence,
    coalesce(sum(value_pence) filter (where cause in ('UNEXPLAINED', 'NOT_RECONCILED')), 0)::bigint
        as unexplained_pence
from open_breaks
group by currency, age_band
order by currency, list_position(['0-1', '2-7', '8-30', '31+'], age_band)
