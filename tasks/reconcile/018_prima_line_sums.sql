-- prima_line_sums (working table). Grain: one document and VAT rate of PRIMA. Pence.
create temp table prima_line_sums as
select
    document_id,
    vat_rate_hundredths,
    bool_or(charge = 'document') as is_document,
    sum(net_pence)::bigint as net_pence,
    sum(vat_pence)::bigint as vat_pence
from staged.prima_lines
group by document_id, vat_rate_hundredths
