-- settlement_totals. Grain: one provider, currency, kind and tie, of the rows dated in the period. Pence.
create table settlement_totals as
select
    provider,
    currency,
    kind,
    tie,
    count(*) as row_count,
    sum(gross_pence)::bigint as gross_pence,
    sum(fee_pence)::bigint as fee_pence,
    sum(net_pence)::bigint as net_pence
from settlements
where is_in_period
group by all
order by provider, currency, kind, tie
