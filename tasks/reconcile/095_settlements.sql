-- settlements. Grain: one row of a settlement file that is dated in the period, or is about an order that was read.
-- Tied by the order number that the provider was given, exactly; pence, signed as the merchant sees it.
create table settlements as
with read_orders as (
    select distinct order_number from staged.magento_documents where level = 'orders'
),
tied as (
    select
        rows.*,
        coalesce(read_orders.order_number, rows.order_reference) as order_key,
        case
            when read_orders.order_number is not null then 'order'
            when rows.order_reference <> '' then 'order not read'
            else 'no order'
        end as tie,
        rows.business_date between run.from_date and run.to_date as is_in_period
    from staged.settlements as rows
    cross join staged.run as run
    left join read_orders on read_orders.order_number = rows.order_reference
)
select *
from tied
where is_in_period or tie = 'order'
order by provider, file, line
