-- line_variances. Grain: one level, order key, currency and line that differs. Pence; variance = PRIMA - Magento.
-- All lines of all orders and invoices are compared, those of documents that agree in total as well: two errors that
-- cancel out are two rows here. Goods are paired by their line of the order. A credit note of PRIMA has no lines.
create table line_variances as
with magento_prints as (
    select documents.level, documents.order_number as order_key, documents.currency, sum(sums.fingerprint) as print
    from magento_line_sums as sums
    inner join magento_documents as documents
        on documents.level = sums.level and documents.document_number = sums.document_number
    where not documents.is_cancelled and documents.level <> 'refunds'
    group by all
),
prima_prints as (
    select documents.level, documents.order_key, documents.currency, sum(sums.fingerprint) as print
    from prima_line_sums as sums
    inner join prima_documents as documents
        on documents.level = sums.level and documents.document_number = sums.document_number
    where not documents.is_cancelled and documents.level <> 'refunds'
    group by all
),
differing as (
    select
        coalesce(magento.level, prima.level) as level,
        coalesce(magento.order_key, prima.order_key) as order_key,
        coalesce(magento.currency, prima.currency) as currency
    from magento_prints as magento
    full outer join prima_prints as prima
        on prima.level = magento.level and prima.order_key = magento.order_key and prima.currency = magento.currency
    where prima.print is distinct from magento.print
),
magento_wanted as (
    select documents.level, documents.document_number, documents.order_number as order_key, documents.currency
    from magento_documents as documents
    inner join differing
        on
            differing.level = documents.level
            and differing.order_key = documents.order_number
            and differing.currency = documents.currency
    where not documents.is_cancelled
),
prima_wanted as (
    select documents.level, documents.document_number, documents.order_key, documents.currency
    from prima_documents as documents
    inner join differing
        on
            differing.level = documents.level
            and differing.order_key = documents.order_key
            and differing.currency = documents.currency
    where not documents.is_cancelled
),
magento as (
    select
        documents.level,
        documents.order_key,
        documents.currency,
        line_key(lines.charge, lines.order_line_number, lines.line_number) as line_key,
        any_value(lines.sku) as sku,
        sum(lines.quantity)::bigint as magento_qty,
        max(lines.vat_rate_hundredths) as magento_rate,
        sum(lines.net_pence)::bigint as magento_net_pence,
        sum(lines.vat_pence)::bigint as magento_vat_pence,
        sum(lines.gross_pence)::bigint as magento_gross_pence
    from staged.magento_lines as lines
    inner join magento_wanted as documents
        on documents.level = lines.level and documents.document_number = lines.document_number
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
    inner join prima_wanted as documents
        on documents.level = lines.level and documents.document_number = lines.document_number
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
