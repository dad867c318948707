-- prima_line_sums (working table). Grain: one level, document and VAT rate of PRIMA. Pence, and a fingerprint as above.
create temp table prima_line_sums as
select
    level,
    document_number,
    vat_rate_hundredths,
    bool_or(charge = 'document') as is_document,
    sum(net_pence)::bigint as net_pence,
    sum(vat_pence)::bigint as vat_pence,
    sum(
        fingerprint(charge, order_line_number, line_number, quantity, vat_rate_hundredths, vat_pence, gross_pence)
    ) as fingerprint
from staged.prima_lines
group by level, document_number, vat_rate_hundredths
