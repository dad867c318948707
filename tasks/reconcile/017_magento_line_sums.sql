-- magento_line_sums (working table). Grain: one document and VAT rate of Magento. Pence.
create temp table magento_line_sums as
select
    document_id,
    vat_rate_hundredths,
    sum(net_pence)::bigint as net_pence,
    sum(vat_pence)::bigint as vat_pence
from staged.magento_lines
group by document_id, vat_rate_hundredths
