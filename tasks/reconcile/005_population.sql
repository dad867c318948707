-- population. Grain: one level and order key. The orders that this run is about, whichever side holds them.
-- An order belongs to the day on which Magento took it, also when PRIMA took it on another. Invoices and refunds
-- belong to the run when either side dates one of the order's documents in the period. Orders of other days whose
-- break is open were read again: they are carried, and in no total of the period.
create table population as
with in_period as (
    select from_date, to_date from staged.run
),
order_dates as (
    select
        coalesce(orders.order_number, ledger.order_number) as order_number,
        coalesce(orders.business_date, ledger.business_date) as business_date
    from (select order_number, business_date from staged.magento_documents where level = 'orders') as orders
    full outer join staged.ledger_orders as ledger on ledger.order_number = orders.order_number
),
of_period as (
    select documents.level, documents.order_number as order_key
    from staged.magento_documents as documents
    cross join in_period
    where documents.business_date between in_period.from_date and in_period.to_date
    union
    select
        documents.level,
        documents.order_key
    from staged.prima_documents as documents
    cross join in_period
    left join order_dates on order_dates.order_number = documents.order_key
    where
        documents.business_date between in_period.from_date and in_period.to_date
        and (
            documents.level <> 'orders'
            or order_dates.business_date is null
            or order_dates.business_date between in_period.from_date and in_period.to_date
        )
)
select level, order_key, false as is_carried
from of_period
union all
select distinct known.level, known.order_key, true as is_carried
from staged.known_breaks as known
anti join of_period on of_period.level = known.level and of_period.order_key = known.order_key
where known.is_read
