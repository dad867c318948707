-- order_rates (working table). Grain: one comparison and VAT rate in hundredths of a per cent. Pence.
create temp table order_rates as
with magento as (
    select
        documents.comparison_id,
        lines.vat_rate_hundredths,
        sum(lines.net_pence) as magento_net_pence,
        sum(lines.vat_pence) as magento_vat_pence
    from magento_line_sums as lines
    inner join magento_documents as documents on documents.document_id = lines.document_id
    where not documents.is_cancelled and not documents.is_carried
    group by documents.comparison_id, lines.vat_rate_hundredths
),
prima as (
    select
        documents.comparison_id,
        if(lines.is_document, single_rates.vat_rate_hundredths, lines.vat_rate_hundredths) as vat_rate_hundredths,
        sum(lines.net_pence) as prima_net_pence,
        sum(lines.vat_pence) as prima_vat_pence
    from prima_line_sums as lines
    inner join prima_documents as documents on documents.document_id = lines.document_id
    left join single_rates
        on lines.is_document and single_rates.order_number_prima = documents.order_number_prima
    where not documents.is_cancelled and not documents.is_carried
    group by all
)
select
    coalesce(magento.comparison_id, prima.comparison_id) as comparison_id,
    coalesce(magento.vat_rate_hundredths, prima.vat_rate_hundredths) as vat_rate_hundredths,
    coalesce(magento.magento_net_pence, 0) as magento_net_pence,
    coalesce(magento.magento_vat_pence, 0) as magento_vat_pence,
    coalesce(prima.prima_net_pence, 0) as prima_net_pence,
    coalesce(prima.prima_vat_pence, 0) as prima_vat_pence
from magento
full outer join prima
    on
        prima.comparison_id = magento.comparison_id
        -- -1 for no rate: `is not distinct from` would not be a hash join
        and coalesce(prima.vat_rate_hundredths, -1) = coalesce(magento.vat_rate_hundredths, -1)
