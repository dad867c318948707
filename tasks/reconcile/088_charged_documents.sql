-- charged_documents (working view). Grain: one side and document that is dated in the period and counts.
-- A document belongs to the period that holds its own date, so every document is in one period and in no other; PRIMA's
-- order belongs to the day on which Magento took it.
create temp view charged_documents as
with documents as (
    select
        'magento' as side,
        document_id,
        level,
        document_number,
        order_number as order_key,
        null as order_number_prima,
        currency,
        business_date,
        destination
    from magento_documents
    where not is_cancelled
    union all
    select
        'prima' as side,
        documents.document_id,
        documents.level,
        documents.document_number,
        documents.order_key,
        documents.order_number_prima,
        documents.currency,
        if(documents.level = 'orders', facts.business_date, documents.business_date) as business_date,
        coalesce(facts.destination, 'unknown') as destination
    from prima_documents as documents
    left join order_variances as facts on facts.comparison_id = documents.comparison_id
    where not documents.is_cancelled
)
select documents.*
from documents
cross join staged.run as run
where documents.business_date between run.from_date and run.to_date
