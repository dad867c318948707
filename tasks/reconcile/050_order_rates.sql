-- order_rates (working table). Grain: one level, order key, currency and VAT rate in hundredths of a per cent. Pence.
-- A credit note of PRIMA has no lines: it takes the rate of the order and its invoices where all of them carry one.
create temp table order_rates as
with magento as (
    select
        documents.level,
        documents.order_number as order_key,
        documents.currency,
        lines.vat_rate_hundredths,
        sum(lines.net_pence) as magento_net_pence,
        sum(lines.vat_pence) as magento_vat_pence
    from magento_line_sums as lines
    inner join magento_documents as documents
        on documents.level = lines.level and documents.document_number = lines.document_number
    where not documents.is_cancelled and not documents.is_carried
    group by all
),
single_rates as (
    select documents.order_number_prima, any_value(lines.vat_rate_hundredths) as vat_rate_hundredths
    from prima_line_sums as lines
    inner join staged.prima_documents as documents
        on documents.level = lines.level and documents.document_number = lines.document_number
    where
        lines.level <> 'refunds'
        and documents.order_number_prima in (
            select refunds.order_number_prima from staged.prima_documents as refunds where refunds.level = 'refunds'
        )
    group by documents.order_number_prima
    having count(distinct lines.vat_rate_hundredths) = 1
),
prima as (
    select
        documents.level,
        documents.order_key,
        documents.currency,
        if(lines.is_document, single_rates.vat_rate_hundredths, lines.vat_rate_hundredths)
            as vat_rate_hundredths,
        sum(lines.net_pence) as prima_net_pence,
        sum(lines.vat_pence) as prima_vat_pence
    from prima_line_sums as lines
    inner join prima_documents as documents
        on documents.level = lines.level and documents.document_number = lines.document_number
    left join single_rates
        on lines.is_document and single_rates.order_number_prima = documents.order_number_prima
    where not documents.is_cancelled and not documents.is_carried
    group by all
)
select
    coalesce(magento.level, prima.level) as level,
    coalesce(magento.order_key, prima.order_key) as order_key,
    coalesce(magento.currency, prima.currency) as currency,
    coalesce(magento.vat_rate_hundredths, prima.vat_rate_hundredths) as vat_rate_hundredths,
    coalesce(magento.magento_net_pence, 0) as magento_net_pence,
    coalesce(magento.magento_vat_pence, 0) as magento_vat_pence,
    coalesce(prima.prima_net_pence, 0) as prima_net_pence,
    coalesce(prima.prima_vat_pence, 0) as prima_vat_pence
from magento
full outer join prima
    on
        prima.level = magento.level
        and prima.order_key = magento.order_key
        and prima.currency = magento.currency
        -- -1 for no rate: `is not distinct from` would not be a hash join
        and coalesce(prima.vat_rate_hundredths, -1) = coalesce(magento.vat_rate_hundredths, -1)
