-- vat_by_size. Grain: one side, level, document and line, dated in the period, whose VAT is not that of its size: a size
-- that is no children's sold without VAT, or a children's size with VAT. Pence. Empty without `[childrens_sizes]`.
-- Only destinations where children's sizes carry no VAT, and only goods that were paid for.
create table vat_by_size as
with prima_goods as (
    select lines.* from staged.prima_lines as lines
    semi join staged.product_sizes as sizes on sizes.product = lines.product
    where lines.charge = 'goods'
),
products as (
    -- Magento's lines know a SKU, PRIMA's its codes: the same line of the same order ties them
    select distinct magento_lines.sku, own.product
    from staged.magento_lines as magento_lines
    inner join prima_goods as own
        on own.comparison_id = magento_lines.comparison_id and own.line_key = magento_lines.line_key
    where magento_lines.level = 'orders' and magento_lines.charge = 'goods' and magento_lines.sku <> ''
),
goods as (
    select
        'magento' as side,
        lines.document_id,
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
        lines.document_id,
        lines.line_number,
        null as sku,
        lines.product,
        lines.vat_rate_hundredths,
        lines.net_pence,
        lines.vat_pence
    from prima_goods as lines
)
select
    goods.side,
    charges.level,
    charges.document_number,
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
inner join charged_documents as charges
    on charges.side = goods.side and charges.document_id = goods.document_id
where
    goods.net_pence + goods.vat_pence <> 0
    and list_contains(string_split(sizes.destinations, ','), charges.destination)
    and ((sizes.is_childs and goods.vat_rate_hundredths > 0) or (not sizes.is_childs and goods.vat_rate_hundredths = 0))
group by all
order by goods.side, charges.level, charges.document_number, goods.line_number
