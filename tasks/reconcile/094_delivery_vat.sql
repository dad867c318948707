-- delivery_vat. Grain: one side, level, currency, destination, kind of goods and delivery rate, dated in the period.
-- Which VAT delivery carried beside the goods that it brought (Notice 700/24: delivery inside the contract follows the
-- goods). Magento has one tax class for shipping, so this is policy, not arithmetic. Pence.
create table delivery_vat as
with lines as (
    select 'magento' as side, document_id, charge, vat_rate_hundredths, net_pence, vat_pence
    from staged.magento_lines
    union all
    select 'prima' as side, document_id, charge, vat_rate_hundredths, net_pence, vat_pence
    from staged.prima_lines
),
deliveries as (
    select
        side,
        document_id,
        vat_rate_hundredths,
        sum(net_pence)::bigint as net_pence,
        sum(vat_pence)::bigint as vat_pence
    from lines
    where charge = 'delivery' and net_pence + vat_pence <> 0
    group by all
),
documents as (
    select
        lines.side,
        lines.document_id,
        max(vat_rate_hundredths) filter (where charge = 'goods' and net_pence <> 0) as highest,
        min(vat_rate_hundredths) filter (where charge = 'goods' and net_pence <> 0) as lowest,
        sum(net_pence) filter (where charge = 'goods')::bigint as goods_net_pence,
        sum(net_pence) filter (where charge = 'goods' and vat_rate_hundredths = 0)::bigint as zero_net_pence
    from lines
    semi join deliveries on deliveries.side = lines.side and deliveries.document_id = lines.document_id
    group by lines.side, lines.document_id
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
        on documents.side = deliveries.side and documents.document_id = deliveries.document_id
)
select
    judged.side,
    charges.level,
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
inner join charged_documents as charges
    on charges.side = judged.side and charges.document_id = judged.document_id
group by all
order by judged.side, charges.level, charges.currency, charges.destination, judged.goods, delivery_rate_percent
