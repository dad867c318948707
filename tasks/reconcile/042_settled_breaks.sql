-- settled_breaks. Grain: one level, order key and currency whose difference stands as a person settled it.
create table settled_breaks as
select
    variances.level,
    variances.order_key,
    variances.currency,
    variances.business_date,
    variances.status,
    variances.cause,
    known.settled_by,
    known.settlement_reference,
    variances.net_variance_pence,
    variances.vat_variance_pence,
    variances.variance_pence
from order_variances as variances
inner join staged.known_breaks as known
    on
        known.level = variances.level
        and known.order_key = variances.order_key
        and known.currency = variances.currency
        and known.variance_pence = variances.variance_pence
        and known.vat_variance_pence = variances.vat_variance_pence
where
    known.settled_by <> ''
    and variances.status in (
        'TOTAL_VARIANCE', 'VAT_VARIANCE', 'MISSING_IN_PRIMA', 'MISSING_IN_MAGENTO', 'DUPLICATE_IN_PRIMA'
    )
order by variances.level, variances.order_key, variances.currency
