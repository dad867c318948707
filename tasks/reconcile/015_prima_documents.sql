-- prima_documents. Grain: one document of PRIMA in the population. Pence; a cancelled order counts as nothing.
create table prima_documents as
with numbered as (
    select
        documents.*,
        numbers.order_number,
        coalesce(numbers.order_number, 'PRIMA ' || documents.order_number_prima) as order_key
    from staged.prima_documents as documents
    left join staged.order_numbers as numbers on numbers.order_number_prima = documents.order_number_prima
)
select
    numbered.level,
    numbered.document_number,
    numbered.order_number_prima,
    numbered.currency,
    numbered.document_at,
    numbered.business_date,
    numbered.updated_at,
    numbered.is_cancelled,
    numbered.status_prima,
    numbered.open_qty,
    numbered.order_key,
    numbered.order_number,
    if(numbered.is_cancelled, 0, numbered.net_pence) as net_pence,
    if(numbered.is_cancelled, 0, numbered.vat_pence) as vat_pence,
    if(numbered.is_cancelled, 0, numbered.gross_pence) as gross_pence,
    if(numbered.is_cancelled, 0, numbered.delivery_net_pence) as delivery_net_pence,
    if(numbered.is_cancelled, 0, numbered.delivery_vat_pence) as delivery_vat_pence,
    if(numbered.is_cancelled, 0, numbered.delivery_gross_pence) as delivery_gross_pence,
    population.is_carried
from numbered
inner join population on population.level = numbered.level and population.order_key = numbered.order_key
