-- vat_calculations (working table). Grain: one level, order key and currency. VAT as other ways of rounding would give
-- it, from the amounts that were charged: only to explain a difference, never to post. Half a penny rounds up.
create or replace temp macro vat_inside(gross, rate_hundredths) as
sign(gross) * (
    (2 * abs(gross) * coalesce(rate_hundredths, 0) + 10000 + coalesce(rate_hundredths, 0))
    // (2 * (10000 + coalesce(rate_hundredths, 0)))
);
create or replace temp macro vat_inside_down(gross, rate_hundredths) as
sign(gross) * ((abs(gross) * coalesce(rate_hundredths, 0)) // (10000 + coalesce(rate_hundredths, 0)));
create or replace temp macro vat_on(net, rate_hundredths) as
sign(net) * ((2 * abs(net) * coalesce(rate_hundredths, 0) + 10000) // 20000);
-- the VAT of a unit times the units, where the unit's price is whole pence
create or replace temp macro vat_by_unit(gross, quantity, rate_hundredths) as
if(
    coalesce(quantity, 0) > 0 and gross % quantity = 0,
    quantity * vat_inside(gross // quantity, rate_hundredths),
    vat_inside(gross, rate_hundredths)
);

create temp table vat_calculations as
with wanted as (
    select comparison_id
    from order_pairs
    where status <> 'MATCHED' and magento_count > 0 and prima_count > 0
),
magento_lines as (
    select documents.level, documents.order_number as order_key, documents.currency, lines.*
    exclude (level)
    from staged.magento_lines as lines
    inner join magento_documents as documents on documents.document_id = lines.document_id
    semi join wanted on wanted.comparison_id = documents.comparison_id
    where not documents.is_cancelled
),
by_rate as (
    select
        level,
        order_key,
        currency,
        vat_rate_hundredths,
        sum(gross_pence) as gross_pence,
        vat_inside(sum(gross_pence), vat_rate_hundredths) as total_vat_pence,
        vat_inside(coalesce(sum(gross_pence) filter (where charge <> 'delivery'), 0), vat_rate_hundredths)
        + coalesce(sum(vat_pence) filter (where charge = 'delivery'), 0) as goods_total_vat_pence,
        sum(vat_inside(gross_pence, vat_rate_hundredths)) as row_vat_pence,
        sum(vat_by_unit(gross_pence, quantity, vat_rate_hundredths)) as unit_vat_pence,
        vat_on(sum(net_pence), vat_rate_hundredths) as net_total_vat_pence,
        sum(vat_on(net_pence, vat_rate_hundredths)) as net_row_vat_pence,
        sum(vat_inside_down(gross_pence, vat_rate_hundredths)) as row_down_vat_pence,
        vat_inside_down(sum(gross_pence), vat_rate_hundredths) as total_down_vat_pence
    from magento_lines
    group by level, order_key, currency, vat_rate_hundredths
),
prima_by_document as (
    select
        documents.level,
        documents.order_key,
        documents.currency,
        vat_inside(sum(lines.gross_pence), lines.vat_rate_hundredths) as vat_pence
    from staged.prima_lines as lines
    inner join prima_documents as documents on documents.document_id = lines.document_id
    semi join wanted on wanted.comparison_id = documents.comparison_id
    where lines.vat_rate_hundredths is not null
    group by documents.level, documents.document_number, documents.order_key, documents.currency,
        lines.vat_rate_hundredths
),
prima as (
    select level, order_key, currency, sum(vat_pence)::bigint as prima_documents_vat_pence
    from prima_by_document
    group by all
)
select
    by_rate.level,
    by_rate.order_key,
    by_rate.currency,
    count(*) as rate_count,
    any_value(by_rate.vat_rate_hundredths) as single_rate_hundredths,
    sum(by_rate.total_vat_pence)::bigint as total_vat_pence,
    sum(by_rate.goods_total_vat_pence)::bigint as goods_total_vat_pence,
    sum(by_rate.row_vat_pence)::bigint as row_vat_pence,
    sum(by_rate.unit_vat_pence)::bigint as unit_vat_pence,
    sum(by_rate.net_total_vat_pence)::bigint as net_total_vat_pence,
    sum(by_rate.net_row_vat_pence)::bigint as net_row_vat_pence,
    sum(by_rate.row_down_vat_pence)::bigint as row_down_vat_pence,
    sum(by_rate.total_down_vat_pence)::bigint as total_down_vat_pence,
    any_value(prima.prima_documents_vat_pence) as prima_documents_vat_pence
from by_rate
left join prima
    on
        prima.level = by_rate.level
        and prima.order_key = by_rate.order_key
        and prima.currency = by_rate.currency
group by by_rate.level, by_rate.order_key, by_rate.currency
