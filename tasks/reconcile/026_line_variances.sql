-- line_variances. Grain: one level, order key, currency and line that differs. Pence; variance = PRIMA - Magento.
-- All lines of all orders and invoices are compared, those of documents that agree in total as well: two errors that
-- cancel out are two rows here. Goods are paired by their line of the order. A credit note of PRIMA has no lines.
create or replace temp macro line_key(charge, order_line_number, line_number) as
case charge
    when 'goods' then coalesce(order_line_number, 1000000 + line_number)
    when 'delivery' then 0
    when 'adjustment' then -1
    when 'rounding' then -2
    else -3
end;

create table line_variances as
with magento as (
    select
        documents.level,
        documents.order_number as order_key,
        documents.currency,
        line_key(lines.charge, lines.order_line_number, lines.line_number) as line_key,
        any_value(lines.sku) as sku,
        sum(lines.quantity)::bigint as magento_qty,
        max(lines.vat_rate_hundredths) as magento_rate,
        sum(lines.net_pence)::bigint as magento_net_pence,
        sum(lines.vat_pence)::bigint as magento_vat_pence,
        sum(lines.gross_pence)::bigint as magento_gross_pence
    from staged.magento_lines as lines
    inner join magento_documents as documents
        on documents.level = lines.level and documents.document_number = lines.document_number
    where not documents.is_cancelled and documents.level <> 'refunds'
    group by all
),
prima as (
    select
        documents.level,
        documents.order_key,
        documents.currency,
        line_key(lines.charge, lines.order_line_number, lines.line_number) as line_key,
        any_value(lines.product) as product,
        sum(lines.quantity)::bigint as prima_qty,
        max(lines.vat_rate_hundredths) as prima_rate,
        sum(lines.net_pence)::bigint as prima_net_pence,
        sum(lines.vat_pence)::bigint as prima_vat_pence,
        sum(lines.gross_pence)::bigint as prima_gross_pence
    from staged.prima_lines as lines
    inner join prima_documents as documents
        on documents.level = lines.level and documents.document_number = lines.document_number
    where not documents.is_cancelled and documents.level <> 'refunds'
    group by all
)
select
    coalesce(magento.level, prima.level) as level,
    coalesce(magento.order_key, prima.order_key) as order_key,
    coalesce(magento.currency, prima.currency) as currency,
    coalesce(magento.line_key, prima.line_key) as line_key,
    magento.sku,
    prima.product,
    magento.magento_qty,
    prima.prima_qty,
    (magento.magento_rate / 100)::decimal(6, 2) as magento_rate_percent,
    (prima.prima_rate / 100)::decimal(6, 2) as prima_rate_percent,
    magento.magento_net_pence,
    magento.magento_vat_pence,
    magento.magento_gross_pence,
    prima.prima_net_pence,
    prima.prima_vat_pence,
    prima.prima_gross_pence,
    coalesce(prima.prima_net_pence, 0) - coalesce(magento.magento_net_pence, 0) as net_variance_pence,
    coalesce(prima.prima_vat_pence, 0) - coalesce(magento.magento_vat_pence, 0) as vat_variance_pence,
    coalesce(prima.prima_gross_pence, 0) - coalesce(magento.magento_gross_pence, 0) as variance_pence
from magento
full outer join prima
    on
        prima.level = magento.level
        and prima.order_key = magento.order_key
        and prima.currency = magento.currency
        and prima.line_key = magento.line_key
where
    prima.prima_gross_pence is distinct from magento.magento_gross_pence
    or prima.prima_vat_pence is distinct from magento.magento_vat_pence
    or (
        coalesce(magento.line_key, prima.line_key) > 0
        and (
            prima.prima_qty is distinct from magento.magento_qty
            or prima.prima_rate is distinct from magento.magento_rate
        )
    )
