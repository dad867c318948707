-- payment_ties. Grain: one order that was read and currency: order, PRIMA and money side by side. Pence.
-- All invoices, refunds and settlements of the order so far, whatever their date. Empty without settlement files.
-- Where a file of its provider, or a kind of PRIMA's documents, could not be read, nothing is said to be missing.
create table payment_ties as
with refused_providers as (
    select distinct split_part(substr(subject, 10), '/', 1) as provider
    from staged.rejections
    where subject like 'payments %'
),
unread as (
    select count(*) > 0 as has_levels
    from staged.rejections
    where level <> '' and business_date is null and order_number = '' and order_number_prima = ''
),
orders as (
    select
        documents.order_number,
        documents.currency,
        documents.business_date,
        documents.store,
        if(documents.is_cancelled, 0, documents.gross_pence - documents.tender_pence) as order_pence,
        if(documents.is_cancelled, 0, documents.tender_pence) as tender_pence,
        coalesce(payments.payment_method, '') as payment_method,
        coalesce(payments.provider, '') as provider,
        payment_run.lag_days,
        run.run_at::date as run_date,
        run.prima_evidence = 'reporting' as has_invoices,
        refused_providers.provider is not null as is_provider_refused,
        unread.has_levels,
        rejected.order_key is null and coalesce(ledger.exclusion_reason, '') = '' as is_due_in_prima
    from staged.magento_documents as documents
    cross join staged.payment_run as payment_run
    cross join staged.run as run
    left join staged.order_payments as payments on payments.order_number = documents.order_number
    cross join unread
    left join refused_providers on refused_providers.provider = payments.provider
    left join rejected_keys as rejected on rejected.level = 'orders' and rejected.order_key = documents.order_number
    left join staged.ledger_orders as ledger on ledger.order_number = documents.order_number
    where documents.level = 'orders'
),
magento as (
    select
        order_number,
        currency,
        coalesce(sum(gross_pence - tender_pence) filter (where level = 'invoices'), 0)::bigint as charged_pence,
        coalesce(sum(tender_pence) filter (where level = 'invoices'), 0)::bigint as charged_tender_pence,
        coalesce(sum(gross_pence - tender_pence) filter (where level = 'refunds'), 0)::bigint as refunded_pence,
        coalesce(sum(tender_pence) filter (where level = 'refunds'), 0)::bigint as refunded_tender_pence,
        max(business_date) filter (where level = 'invoices') as charged_date,
        max(business_date) filter (where level = 'refunds') as refunded_date
    from staged.magento_documents
    where level <> 'orders'
    group by all
),
prima as (
    select
        numbers.order_number,
        documents.currency,
        count(*) as document_count,
        coalesce(sum(documents.gross_pence) filter (where documents.level = 'orders'), 0)::bigint as order_pence,
        coalesce(sum(documents.gross_pence) filter (where documents.level = 'invoices'), 0)::bigint as charged_pence,
        coalesce(sum(documents.gross_pence) filter (where documents.level = 'refunds'), 0)::bigint as refunded_pence
    from staged.prima_documents as documents
    inner join staged.order_numbers as numbers on numbers.order_number_prima = documents.order_number_prima
    where not documents.is_cancelled
    group by all
),
money as (
    select
        order_key as order_number,
        currency,
        coalesce(sum(gross_pence) filter (where kind = 'payment'), 0)::bigint as paid_pence,
        coalesce(-sum(gross_pence) filter (where kind in ('refund', 'refund_reversed')), 0)::bigint as refunded_pence,
        coalesce(-sum(gross_pence) filter (where kind in ('chargeback', 'chargeback_reversed')), 0)::bigint
            as charged_back_pence,
        sum(fee_pence)::bigint as fee_pence
    from settlements
    where tie = 'order'
    group by all
),
compared as (
    select
        orders.*,
        if(orders.has_invoices, coalesce(magento.charged_pence, 0), orders.order_pence) as magento_charged_pence,
        coalesce(magento.refunded_pence, 0) as magento_refunded_pence,
        if(orders.has_invoices, coalesce(magento.charged_date, orders.business_date), orders.business_date)
            as charged_date,
        magento.refunded_date,
        if(
            orders.has_invoices,
            coalesce(prima.charged_pence, 0) - coalesce(magento.charged_tender_pence, 0),
            coalesce(prima.order_pence, 0) - orders.tender_pence
        ) as prima_charged_pence,
        coalesce(prima.refunded_pence, 0) - coalesce(magento.refunded_tender_pence, 0) as prima_refunded_pence,
        coalesce(prima.document_count, 0) = 0 and orders.is_due_in_prima as is_missing_in_prima,
        coalesce(money.paid_pence, 0) as paid_pence,
        coalesce(money.refunded_pence, 0) as refunded_pence,
        coalesce(money.charged_back_pence, 0) as charged_back_pence,
        coalesce(money.fee_pence, 0) as fee_pence,
        money.order_number is not null as has_money
    from orders
    left join magento on magento.order_number = orders.order_number and magento.currency = orders.currency
    left join prima on prima.order_number = orders.order_number and prima.currency = orders.currency
    left join money on money.order_number = orders.order_number and money.currency = orders.currency
)
select
    order_number as order_key,
    order_number,
    currency,
    business_date,
    store,
    payment_method,
    provider,
    case
        when provider = '' and not has_money then 'NOT_BY_PROVIDER'
        when has_levels then 'NOT_RECONCILED'
        when charged_back_pence <> 0 then 'CHARGEBACK'
        when paid_pence = 0 and magento_charged_pence > 0 and is_provider_refused then 'NOT_RECONCILED'
        when paid_pence = 0 and magento_charged_pence > 0
            then if(date_diff('day', charged_date, run_date) <= lag_days, 'AWAITING_SETTLEMENT', 'NOT_SETTLED')
        when paid_pence < magento_charged_pence and is_provider_refused then 'NOT_RECONCILED'
        when paid_pence <> magento_charged_pence then 'PAID_DIFFERENTLY'
        when refunded_pence > magento_refunded_pence then 'REFUND_NOT_RECORDED'
        when refunded_pence < magento_refunded_pence and is_provider_refused then 'NOT_RECONCILED'
        when refunded_pence < magento_refunded_pence
            then if(date_diff('day', refunded_date, run_date) <= lag_days, 'AWAITING_REFUND', 'REFUND_NOT_PAID')
        when
            paid_pence > refunded_pence
            and is_missing_in_prima
            and date_diff('day', charged_date, run_date) > lag_days
            then 'NOT_IN_PRIMA'
        when magento_charged_pence = 0 and not has_money then 'NOT_DUE'
        else 'MATCHED'
    end as status,
    paid_pence = magento_charged_pence
    and paid_pence = prima_charged_pence
    and refunded_pence = magento_refunded_pence
    and refunded_pence = prima_refunded_pence as is_three_way,
    order_pence,
    magento_charged_pence,
    magento_refunded_pence,
    prima_charged_pence,
    prima_refunded_pence,
    paid_pence,
    refunded_pence,
    charged_back_pence,
    fee_pence,
    paid_pence - magento_charged_pence as paid_variance_pence,
    refunded_pence - magento_refunded_pence as refund_variance_pence
from compared
order by order_number, currency
