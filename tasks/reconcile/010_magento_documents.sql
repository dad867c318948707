-- magento_documents. Grain: one document of Magento in the population. Pence; a cancelled order counts as nothing.
create table magento_documents as
select
    documents.level,
    documents.document_number,
    documents.order_number,
    documents.currency,
    documents.document_at,
    documents.business_date,
    documents.is_cancelled,
    documents.store,
    case
        when documents.country = 'GB' and documents.postcode_area = 'BT' then 'NI'
        when documents.country in ('GB', 'IM') then documents.country
        when
            documents.country in (
                'AT', 'BE', 'BG', 'CY', 'CZ', 'DE', 'DK', 'EE', 'ES', 'FI', 'FR', 'GR', 'HR', 'HU', 'IE', 'IT', 'LT',
                'LU', 'LV', 'MT', 'NL', 'PL', 'PT', 'RO', 'SE', 'SI', 'SK'
            )
            then 'EU'
        when documents.country = '' then 'unknown'
        else 'export'
    end as destination,
    if(documents.is_cancelled, 0, documents.net_pence) as net_pence,
    if(documents.is_cancelled, 0, documents.vat_pence) as vat_pence,
    if(documents.is_cancelled, 0, documents.gross_pence) as gross_pence,
    if(documents.is_cancelled, 0, documents.delivery_net_pence) as delivery_net_pence,
    if(documents.is_cancelled, 0, documents.delivery_vat_pence) as delivery_vat_pence,
    if(documents.is_cancelled, 0, documents.delivery_gross_pence) as delivery_gross_pence,
    if(documents.is_cancelled, 0, documents.tender_pence) as tender_pence,
    if(documents.is_cancelled, 0, documents.discount_vat_pence) as discount_vat_pence,
    documents.document_id,
    documents.comparison_id,
    population.is_carried
from staged.magento_documents as documents
inner join population on population.level = documents.level and population.order_key = documents.order_number
