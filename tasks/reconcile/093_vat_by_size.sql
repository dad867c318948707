-- vat_by_size. Grain: one side, level, document and line, dated in the period, whose VAT is not that of its size: a size
-- that is no children's sold without VAT, or a children's size with VAT. Pence. Empty without `[childrens_sizes]`.
-- Only destinations where children's sizes carry no VAT, and only goods that were paid for.
create table vat_by_size as
with products as (
    -- Magento's lines know a SKU, PRIMA's its codes: the same line of the same order ties them
    select distinct magento_lines.sku, prima_lines.product
    from staged.magento_lines as magento_lines
    inner join magento_documents as documents
        on documents.level = magento_lines.level and documents.document_number = magento_lines.document_number
    inner join prima_documents as own on own.level = 'orders' and own.order_key = documents.order_number
    inner join staged.prima_lines as prima_lines
        on
            prima_lines.level = own.level
            and prima_lines.document_number = own.document_number
            and prima_lines.order_line_number = magento_lines.order_line_number
    where magento_lines.level = 'orders' and magento_lines.charge = 'goods' and magento_lines.sku <> ''
),
goods as (
    select
        'magento' as side,
        lines.level,
        lines.document_number,
        lines.line_number,
        lines.sku,
        products.product,
        lines.vat_rate_hundredths,
        lines.net_pence,
        lines.vat_pence
    from staged.magento_lines as lines
    inner join products on products.sku = lines.sku
    where lines.charge = 'goods'
    union all
    select
        'prima' as side,
        lines.level,
        lines.document_number,
        lines.line_number,
        null as sku,
        lines.product,
        lines.vat_rate_hundredths,
        lines.net_pence,
        lines.vat_pence
    from staged.prima_lines as lines
    where lines.charge = 'goods'
)
select
    goods.side,
    goods.level,
    goods.document_number,
    goods.line_number,
    charges.order_key,
    charges.currency,
    charges.business_date,
    charges.destination,
    any_value(goods.sku) as sku,
    min(goods.product) as product,
    any_value(sizes.size) as size,
    any_value(sizes.is_childs) as is_childs_size,
    any_value((goods.vat_rate_hundredths / 100)::decimal(6, 2)) as vat_rate_percent,
    any_value(if(sizes.is_childs, 'VAT_CHARGED_ON_CHILD_SIZE', 'VAT_ZERO_ON_ADULT_SIZE')) as finding,
    any_value(goods.net_pence) as net_pence,
    any_value(goods.vat_pence) as vat_pence,
    any_value(goods.net_pence + goods.vat_pence) as gross_pence
from goods
inner join staged.product_sizes as sizes on sizes.product = goods.product
inner join (
    select distinct side, level, document_number, order_key, currency, business_date, destination from vat_charges
) as charges
    on
        charges.side = goods.side
        and charges.level = goods.level
        and charges.document_number = goods.document_number
where
    goods.net_pence + goods.vat_pence <> 0
    and list_contains(string_split(sizes.destinations, ','), charges.destination)
    and ((sizes.is_childs and goods.vat_rate_hundredths > 0) or (not sizes.is_childs and goods.vat_rate_hundredths = 0))
group by all
order by goods.side, goods.level, goods.document_number, goods.line_number
