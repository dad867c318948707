-- vat_charges. Grain: one side, level, document and VAT rate, dated in the period. Pence; refunds are positive.
-- What finance closes and the VAT view stands on. In no order of its own: whoever hashes it sorts it.
create table vat_charges as
with charges as (
    select 'magento' as side, document_id, false as is_document, vat_rate_hundredths, net_pence, vat_pence
    from magento_line_sums
    union all
    select 'prima' as side, document_id, is_document, vat_rate_hundredths, net_pence, vat_pence
    from prima_line_sums
),
rated as (
    select
        documents.*,
        if(charges.is_document, single_rates.vat_rate_hundredths, charges.vat_rate_hundredths) as vat_rate_hundredths,
        charges.net_pence,
        charges.vat_pence
    from charges
    inner join charged_documents as documents
        on documents.side = charges.side and documents.document_id = charges.document_id
    left join single_rates
        on charges.is_document and single_rates.order_number_prima = documents.order_number_prima
)
select
    side,
    level,
    document_number,
    order_key,
    currency,
    business_date,
    destination,
    (vat_rate_hundredths / 100)::decimal(6, 2) as vat_rate_percent,
    net_pence,
    vat_pence,
    net_pence + vat_pence as gross_pence
from rated
