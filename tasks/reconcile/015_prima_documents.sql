-- prima_documents. Grain: one document of PRIMA in the population. Pence; a cancelled order counts as nothing.
create table prima_documents as
select
    documents.level,
    documents.document_number,
    documents.order_number_prima,
    documents.currency,
    documents.document_at,
    documents.business_date,
    documents.updated_at,
    documents.is_cancelled,
    documents.status_prima,
    documents.open_qty,
    documents.order_key,
    if(documents.order_key like 'PRIMA %', null, documents.order_key) as order_number,
    if(documents.is_cancelled, 0, documents.net_pence) as net_pence,
    if(documents.is_cancelled, 0, documents.vat_pence) as vat_pence,
    if(documents.is_cancelled, 0, documents.gross_pence) as gross_pence,
    if(documents.is_cancelled, 0, documents.delivery_net_pence) as delivery_net_pence,
    if(documents.is_cancelled, 0, documents.delivery_vat_pence) as delivery_vat_pence,
    if(documents.is_cancelled, 0, documents.delivery_gross_pence) as delivery_gross_pence,
    documents.document_id,
    documents.comparison_id,
    population.is_carried
from staged.prima_documents as documents
inner join population on population.level = documents.level and population.order_key = documents.order_key
