-- line_variances. Grain: one level, order key, currency and line that differs. Pence; variance = PRIMA - Magento.
-- All lines of all orders and invoices are compared, those of documents that agree in total as well: two errors that
-- cancel out are two rows here. Goods are paired by their line of the order. A credit note of PRIMA has no lines.
create table line_variances as
with compared as (
    select comparison_id, level, order_number as order_key, currency from magento_documents
    semi join differing_lines as lines on lines.comparison_id = magento_documents.comparison_id
    union
    select comparison_id, level, order_key, currency from prima_documents
    semi join differing_lines as lines on lines.comparison_id = prima_documents.comparison_id
)
select
    compared.level,
    compared.order_key,
    compared.currency,
    lines.line_key,
    lines.sku,
    lines.product,
    lines.magento_qty,
    lines.prima_qty,
    (lines.magento_rate / 100)::decimal(6, 2) as magento_rate_percent,
    (lines.prima_rate / 100)::decimal(6, 2) as prima_rate_percent,
    lines.magento_net_pence,
    lines.magento_vat_pence,
    lines.magento_gross_pence,
    lines.prima_net_pence,
    lines.prima_vat_pence,
    lines.prima_gross_pence,
    coalesce(lines.prima_net_pence, 0) - coalesce(lines.magento_net_pence, 0) as net_variance_pence,
    coalesce(lines.prima_vat_pence, 0) - coalesce(lines.magento_vat_pence, 0) as vat_variance_pence,
    coalesce(lines.prima_gross_pence, 0) - coalesce(lines.magento_gross_pence, 0) as variance_pence
from differing_lines as lines
inner join compared on compared.comparison_id = lines.comparison_id
