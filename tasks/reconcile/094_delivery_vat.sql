-- delivery_vat. Grain: one side, level, currency, destination, kind of goods and delivery rate, dated in the period.
-- Which VAT delivery carried beside the goods that it brought (Notice 700/24: delivery inside the contract follows the
-- goods). Magento has one tax class for shipping, so this is policy, not arithmetic. Pence.
create table delivery_vat as
with lines as (
    select 'magento' as side, level, document_number, charge, vat_rate_hundredths, net_pence, vat_pence
    from staged.magento_lines
    union all
    select 'prima' as side, level, document_number, charge, vat_rate_hundredths, net_pence, vat_pence
    from staged.prima_lines
),
documents as (
    select
        side,
        level,
        document_number,
        max(vat_rate_hundredths) filter (where charge = 'goods' and net_pence <> 0) as highest,
        min(vat_rate_hundredths) filter (where charge = 'goods' and net_pence <> 0) as lowest,
        sum(net_pence) filter (where charge = 'goods')::bigint as goods_net_pence,
        sum(net_pence) filter (where charge = 'goods' and vat_rate_hundredths = 0)::bigint as zero_net_pence
    from lines
    group by all
),
deliveries as (
    select side, level, document_number, vat_rate_hundredths, sum(net_pence)::bigint as net_pence,
        sum(vat_pence)::bigint as vat_pence
    from lines
    where charge = 'delivery' and net_pence + vat_pence <> 0
    group by all
),
judged as (
    select
        deliveries.*,
        case
            when documents.highest is null then 'no goods'
            when documents.highest = documents.lowest and documents.highest = 0 then 'zero-rated only'
            when documents.highest = documents.lowest then 'one rate'
            else 'several rates'
        end as goods,
        case
            when deliveries.vat_rate_hundredths is null then 'rate unknown'
            when documents.highest is null then 'no goods'
            when documents.highest = documents.lowest and documents.highest = deliveries.vat_rate_hundredths
                then 'follows the goods'
            when documents.highest = documents.lowest then 'differs from the goods'
            else 'goods at several rates'
        end as policy,
        coalesce(
            deliveries.net_pence * documents.zero_net_pence // nullif(documents.goods_net_pence, 0), 0
        )::bigint as zero_rated_share_pence
    from deliveries
    left join documents
        on
            documents.side = deliveries.side
            and documents.level = deliveries.level
            and documents.document_number = deliveries.document_number
)
select
    judged.side,
    judged.level,
    charges.currency,
    charges.destination,
    judged.goods,
    (judged.vat_rate_hundredths / 100)::decimal(6, 2) as delivery_rate_percent,
    judged.policy,
    count(*) as document_count,
    sum(judged.net_pence)::bigint as net_pence,
    sum(judged.vat_pence)::bigint as vat_pence,
    sum(judged.net_pence + judged.vat_pence)::bigint as gross_pence,
    sum(judged.zero_rated_share_pence)::bigint as zero_rated_share_pence
from judged
inner join (
    select distinct side, level, document_number, currency, destination from vat_charges
) as charges
    on
        charges.side = judged.side
        and charges.level = judged.level
        and charges.document_number = judged.document_number
group by all
order by judged.side, judged.level, charges.currency, charges.destination, judged.goods, delivery_rate_percent
