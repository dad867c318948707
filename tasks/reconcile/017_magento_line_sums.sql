-- magento_line_sums (working table). Grain: one level, document and VAT rate of Magento. Pence, and a fingerprint.
-- One pass over the lines serves the sums by rate and the question which documents differ in any line: documents whose
-- fingerprints (a sum over the lines, so in any order) are equal are not looked at line by line.
create or replace temp macro line_key(charge, order_line_number, line_number) as
case charge
    when 'goods' then coalesce(order_line_number, 1000000 + line_number)
    when 'delivery' then 0
    when 'adjustment' then -1
    when 'rounding' then -2
    else -3
end;
create or replace temp macro fingerprint(charge, order_line_number, line_number, quantity, rate, vat, gross) as
hash(
    line_key(charge, order_line_number, line_number),
    if(charge = 'goods', quantity, null),
    if(charge = 'goods', rate, null),
    vat,
    gross
)::hugeint;

create temp table magento_line_sums as
select
    level,
    document_number,
    vat_rate_hundredths,
    sum(net_pence)::bigint as net_pence,
    sum(vat_pence)::bigint as vat_pence,
    sum(
        fingerprint(charge, order_line_number, line_number, quantity, vat_rate_hundredths, vat_pence, gross_pence)
    ) as fingerprint
from staged.magento_lines
group by level, document_number, vat_rate_hundredths
