-- vat_charges. Grain: one side, level, document and VAT rate, dated in the period. Pence; refunds are positive.
-- What finance closes and the VAT view stands on. A document belongs to the period that holds its own date, so every
-- document is in one period and in no other; PRIMA's order belongs to the day on which Magento took it.
create table vat_charges as
with magento as (
    select
        'magento' as side,
        documents.level,
        documents.document_number,
        documents.order_number as order_key,
        documents.currency,
        documents.business_date,
        documents.destination,
        lines.vat_rate_hundredths,
        sum(lines.net_pence)::bigint as net_pence,
        sum(lines.vat_pence)::bigint as vat_pence
    from staged.magento_lines as lines
    inner join magento_documents as documents
        on documents.level = lines.level and documents.document_number = lines.document_number
    where not documents.is_cancelled
    group by all
),
single_rates as (
    select documents.order_number_prima, any_value(lines.vat_rate_hundredths) as vat_rate_hundredths
    from staged.prima_lines as lines
    inner join staged.prima_documents as documents
        on documents.level = lines.level and documents.document_number = lines.document_number
    where lines.level <> 'refunds'
    group by documents.order_number_prima
    having count(distinct lines.vat_rate_hundredths) = 1
),
prima as (
    select
        'prima' as side,
        documents.level,
        documents.document_number,
        documents.order_key,
        documents.currency,
        if(documents.level = 'orders', facts.business_date, documents.business_date) as business_date,
        coalesce(facts.destination, 'unknown') as destination,
        if(lines.charge = 'document', single_rates.vat_rate_hundredths, lines.vat_rate_hundredths)
            as vat_rate_hundredths,
        sum(lines.net_pence)::bigint as net_pence,
        sum(lines.vat_pence)::bigint as vat_pence
    from staged.prima_lines as lines
    inner join prima_documents as documents
        on documents.level = lines.level and documents.document_number = lines.document_number
    left join single_rates on single_rates.order_number_prima = documents.order_number_prima
    left join order_variances as facts
        on
            facts.level = documents.level
            and facts.order_key = documents.order_key
            and facts.currency = documents.currency
    where not documents.is_cancelled
    group by all
),
charges as (
    from magento
    union all
    from prima
)
select
    charges.side,
    charges.level,
    charges.document_number,
    charges.order_key,
    charges.currency,
    charges.business_date,
    charges.destination,
    (charges.vat_rate_hundredths / 100)::decimal(6, 2) as vat_rate_percent,
    charges.net_pence,
    charges.vat_pence,
    charges.net_pence + charges.vat_pence as gross_pence
from charges
cross join staged.run as run
where charges.business_date between run.from_date and run.to_date
order by charges.side, charges.level, charges.document_number, vat_rate_percent desc nulls last
