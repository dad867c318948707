-- single_rates (working table). Grain: one order of PRIMA with credit notes, whose lines all carry one VAT rate.
-- A credit note of PRIMA has no lines: it takes the rate of the order and its invoices where all of them carry one.
create temp table single_rates as
with refunded as (
    select distinct order_number_prima from staged.prima_documents where level = 'refunds'
)
select documents.order_number_prima, any_value(lines.vat_rate_hundredths) as vat_rate_hundredths
from staged.prima_documents as documents
semi join refunded on refunded.order_number_prima = documents.order_number_prima
inner join prima_line_sums as lines on lines.document_id = documents.document_id
where documents.level <> 'refunds'
group by documents.order_number_prima
having count(distinct lines.vat_rate_hundredths) = 1
