-- vat_charges. Grain: one side, level, document and VAT rate, dated in the period. Pence; refunds are positive.
-- What finance closes and the VAT view stands on. In no order of its own: whoever hashes it sorts it.
-- One side after the other: two joins of half the size need half the memory at a time.
create table vat_charges as
select
    documents.side,
    documents.level,
    documents.document_number,
    documents.order_key,
    documents.currency,
    documents.business_date,
    documents.destination,
    (charges.vat_rate_hundredths / 100)::decimal(6, 2) as vat_rate_percent,
    charges.net_pence,
    charges.vat_pence,
    charges.net_pence + charges.vat_pence as gross_pence
from magento_line_sums as charges
inner join charged_documents as documents on documents.document_id = charges.document_id
where documents.side = 'magento';

insert into vat_charges
select
    documents.side,
    documents.level,
    documents.document_number,
    documents.order_key,
    documents.currency,
    documents.business_date,
    documents.destination,
    (if(charges.is_document, single_rates.vat_rate_hundredths, charges.vat_rate_hundredths) / 100)::decimal(6, 2),
    charges.net_pence,
    charges.vat_pence,
    charges.net_pence + charges.vat_pence
from prima_line_sums as charges
inner join charged_documents as documents on documents.document_id = charges.document_id
left join single_rates
    on charges.is_document and single_rates.order_number_prima = documents.order_number_prima
where documents.side = 'prima'
