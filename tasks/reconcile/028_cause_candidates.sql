-- cause_candidates (working table). Grain: one level, order key, currency and cause that fits. The lowest priority wins.
-- A new cause is one more select here and one more row of CAUSES in schemas/reconciliation.py.
create temp table cause_candidates as
with differing as (
    select
        pairs.*,
        calculations.total_vat_pence,
        calculations.goods_total_vat_pence,
        calculations.row_vat_pence,
        calculations.prima_documents_vat_pence
    from order_pairs as pairs
    left join vat_calculations as calculations
        on
            calculations.level = pairs.level
            and calculations.order_key = pairs.order_key
            and calculations.currency = pairs.currency
    where pairs.status <> 'MATCHED'
),
vat_only as (
    select * from differing where status in ('VAT_VARIANCE', 'WITHIN_TOLERANCE') and variance_pence = 0
),
missing_in_prima as (
    select * from differing where prima_count = 0
)
select level, order_key, currency, 10 as priority, 'CURRENCY' as cause
from differing
where is_in_two_currencies
union all
select level, order_key, currency, 20, 'POSTED_TWICE'
from differing
where is_posted_twice
union all
select level, order_key, currency, 30, 'CANCELLED_IN_PRIMA'
from differing
where is_cancelled_in_prima and not is_cancelled_in_magento and variance_pence < 0
union all
select level, order_key, currency, 31, 'CANCELLED_IN_MAGENTO'
from differing
where level = 'orders' and prima_count > 0 and is_cancelled_in_magento and not is_cancelled_in_prima
union all
select level, order_key, currency, 40, 'EXCLUDED_BY_RULE'
from missing_in_prima
where exclusion_reason <> '' or (status = 'EXCLUDED' and is_cancelled_in_magento)
union all
select level, order_key, currency, 50, 'NOT_YET_POSTED'
from missing_in_prima
where is_excused or ledger_state in ('seen', 'held', 'ready', 'posting', 'refused', 'unknown')
union all
select level, order_key, currency, 60, 'AWAITING_DISPATCH'
from differing
where level = 'invoices' and is_awaiting_dispatch and variance_pence < 0
union all
select level, order_key, currency, 70, 'LATE_POSTING'
from differing
where status = 'TIMING'
union all
-- the goods agree to the penny, and delivery alone makes the difference
select level, order_key, currency, 80, 'DELIVERY_VAT'
from vat_only
where
    prima_delivery_gross_pence = magento_delivery_gross_pence
    and prima_delivery_vat_pence - magento_delivery_vat_pence = vat_variance_pence
union all
-- one rounding for each rate over the whole document, with delivery in it, without it, or for each of several documents
select level, order_key, currency, 90, 'VAT_RECALCULATED_ON_ORDER_TOTAL'
from vat_only
where
    prima_vat_pence in (total_vat_pence, goods_total_vat_pence)
    or (prima_count > 1 and prima_vat_pence = prima_documents_vat_pence and abs(vat_variance_pence) <= prima_count)
union all
select level, order_key, currency, 100, 'ROUNDING_METHOD'
from vat_only
where prima_vat_pence = row_vat_pence
union all
select level, order_key, currency, 999, 'UNEXPLAINED'
from differing
