-- vat_by_rate. Grain: one level, currency, destination and VAT rate. Pence; variance = PRIMA - Magento.
-- A credit note of PRIMA has no lines: it takes the rate of the order's invoices where all of them carry one rate.
create table vat_by_rate as
with destinations as (
    select level, order_key, currency, any_value(destination) as destination
    from order_variances
    group by all
),
magento as (
    select
        documents.level,
        documents.currency,
        documents.order_number as order_key,
        lines.vat_rate_hundredths,
        lines.net_pence,
        lines.vat_pence,
        lines.gross_pence
    from staged.magento_lines as lines
    inner join magento_documents as documents
        on documents.level = lines.level and documents.document_number = lines.document_number
    where not documents.is_cancelled
),
single_rates as (
    select documents.order_number_prima, any_value(lines.vat_rate_hundredths) as vat_rate_hundredths
    from staged.prima_lines as lines
    inner join staged.prima_documents as documents
        on documents.level = lines.level and documents.document_number = lines.document_number
    where lines.level = 'invoices'
    group by documents.order_number_prima
    having count(distinct lines.vat_rate_hundredths) = 1
),
prima as (
    select
        documents.level,
        documents.currency,
        documents.order_key,
        if(lines.charge = 'document', single_rates.vat_rate_hundredths, lines.vat_rate_hundredths)
            as vat_rate_hundredths,
        lines.net_pence,
        lines.vat_pence,
        lines.gross_pence
    from staged.prima_lines as lines
    inner join prima_documents as documents
        on documents.level = lines.level and documents.document_number = lines.document_number
    left join single_rates on single_rates.order_number_prima = documents.order_number_prima
    where not documents.is_cancelled
),
sides as (
    select *, 1 as is_magento, 0 as is_prima from magento
    union all
    select *, 0 as is_magento, 1 as is_prima from prima
)
select
    sides.level,
    sides.currency,
    destinations.destination,
    (sides.vat_rate_hundredths / 100)::decimal(6, 2) as vat_rate_percent,
    sum(sides.net_pence * is_magento)::bigint as magento_net_pence,
    sum(sides.vat_pence * is_magento)::bigint as magento_vat_pence,
    sum(sides.gross_pence * is_magento)::bigint as magento_gross_pence,
    sum(sides.net_pence * is_prima)::bigint as prima_net_pence,
    sum(sides.vat_pence * is_prima)::bigint as prima_vat_pence,
    sum(sides.gross_pence * is_prima)::bigint as prima_gross_pence,
    sum(sides.net_pence * (is_prima - is_magento))::bigint as net_variance_pence,
    sum(sides.vat_pence * (is_prima - is_magento))::bigint as vat_variance_pence,
    sum(sides.gross_pence * (is_prima - is_magento))::bigint as variance_pence
from sides
inner join destinations
    on
        destinations.level = sides.level
        and destinations.order_key = sides.order_key
        and destinations.currency = sides.currency
group by sides.level, sides.currency, destinations.destination, sides.vat_rate_hundredths
order by sides.level, sides.currency, destinations.destination, sides.vat_rate_hundredths desc nulls last
