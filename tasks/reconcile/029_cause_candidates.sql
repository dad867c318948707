-- cause_candidates (working table). Grain: one level, order key, currency and cause that fits. The lowest priority wins.
-- A new cause is one more select here and one more row of CAUSES in schemas/causes.py. What explains
-- a difference explains all of it, gross and VAT, to the penny: `two_sided` has both figures and nothing settled yet.
create temp table cause_candidates as
with differing as (
    select
        pairs.*,
        calculations.* exclude (level, order_key, currency),
        lines.* exclude (level, order_key, currency)
    from order_pairs as pairs
    left join vat_calculations as calculations
        on
            calculations.level = pairs.level
            and calculations.order_key = pairs.order_key
            and calculations.currency = pairs.currency
    left join line_facts as lines
        on lines.level = pairs.level and lines.order_key = pairs.order_key and lines.currency = pairs.currency
    where pairs.status <> 'MATCHED'
),
two_sided as (
    select * from differing where status in ('VAT_VARIANCE', 'TOTAL_VARIANCE') and magento_count > 0 and prima_count > 0
),
vat_only as (
    select * from two_sided where variance_pence = 0
),
vat_on_net as (
    select * from two_sided where net_variance_pence = 0
),
missing_in_prima as (
    select * from differing where prima_count = 0
)
select level, order_key, currency, 5 as priority, 'NOT_RECONCILED' as cause, '' as cause_detail
from differing
where is_rejected
union all
select level, order_key, currency, 10, 'CURRENCY', ''
from differing
where is_in_two_currencies
union all
select level, order_key, currency, 20, 'POSTED_TWICE', prima_live_count || ' in PRIMA'
from differing
where is_posted_twice
union all
select level, order_key, currency, 30, 'CANCELLED_IN_PRIMA', ''
from differing
where is_cancelled_in_prima and not is_cancelled_in_magento and variance_pence < 0
union all
select level, order_key, currency, 31, 'CANCELLED_IN_MAGENTO', ''
from differing
where level = 'orders' and prima_count > 0 and is_cancelled_in_magento and not is_cancelled_in_prima
union all
select level, order_key, currency, 40, 'EXCLUDED_BY_RULE', ''
from missing_in_prima
where exclusion_reason <> '' or (status = 'EXCLUDED' and is_cancelled_in_magento)
union all
select level, order_key, currency, 50, 'NOT_YET_POSTED', ''
from missing_in_prima
where is_excused or ledger_state in ('seen', 'held', 'ready', 'posting', 'refused', 'unknown')
union all
select level, order_key, currency, 60, 'AWAITING_DISPATCH', ''
from differing
where level = 'invoices' and is_awaiting_dispatch and variance_pence < 0
union all
select level, order_key, currency, 70, 'LATE_POSTING', ''
from differing
where status = 'TIMING'
union all
select level, order_key, currency, 72, 'REFUND_WITHOUT_CREDIT_NOTE', ''
from missing_in_prima
where level = 'refunds'
union all
select level, order_key, currency, 74, 'SIGN', ''
from two_sided
where prima_gross_pence = -magento_gross_pence and prima_vat_pence = -magento_vat_pence
union all
-- the verification saw PRIMA's figures equal to Magento's, so whoever changed later made the difference
select
    level, order_key, currency, 76, 'EDITED_AFTER_POSTING',
    if(prima_updated_at > verified_at, 'changed in PRIMA', 'changed in Magento')
from two_sided
where level = 'orders' and verified_at is not null
union all
select level, order_key, currency, 78, 'GIFT_CARD_AS_DISCOUNT', ''
from two_sided
where
    tender_pence > 0
    and variance_pence = -tender_pence
    and (
        vat_variance_pence = 0
        or (rate_count = 1 and prima_vat_pence = vat_inside(prima_gross_pence, single_rate_hundredths))
    )
union all
select
    level, order_key, currency, 79, 'DISCOUNT_VAT_COMPENSATION',
    if(variance_pence = 0, 'in the VAT', 'in the total')
from two_sided
where
    discount_vat_pence <> 0
    and (
        (abs(variance_pence) = abs(discount_vat_pence) and vat_variance_pence = 0)
        or (variance_pence = 0 and abs(vat_variance_pence) = abs(discount_vat_pence))
    )
union all
-- the goods agree to the penny, and delivery alone makes the difference
select level, order_key, currency, 80, 'DELIVERY_VAT', ''
from vat_only
where
    prima_delivery_gross_pence = magento_delivery_gross_pence
    and prima_delivery_vat_pence - magento_delivery_vat_pence = vat_variance_pence
union all
-- one rounding for each rate over the whole document, with delivery in it, without it, or for each of several documents
select level, order_key, currency, 90, 'VAT_RECALCULATED_ON_ORDER_TOTAL', ''
from vat_only
where
    prima_vat_pence in (total_vat_pence, goods_total_vat_pence)
    or (prima_count > 1 and prima_vat_pence = prima_documents_vat_pence and abs(vat_variance_pence) <= prima_count)
union all
select level, order_key, currency, 100, 'ROUNDING_METHOD', 'by row'
from vat_only
where prima_vat_pence = row_vat_pence
union all
select level, order_key, currency, 101, 'ROUNDING_METHOD', 'by unit'
from vat_only
where prima_vat_pence = unit_vat_pence
union all
select
    level, order_key, currency, 102, 'ROUNDING_METHOD',
    if(prima_vat_pence = net_total_vat_pence, 'on the net total', 'on the net of each row')
from vat_on_net
where prima_vat_pence in (net_total_vat_pence, net_row_vat_pence)
union all
select
    level, order_key, currency, 105, 'VAT_ROUNDED_DOWN',
    if(prima_vat_pence = row_down_vat_pence, 'each row', 'the total')
from vat_only
where prima_vat_pence in (row_down_vat_pence, total_down_vat_pence)
union all
select level, order_key, currency, 110, 'DISCOUNT_SPLIT', array_to_string(line_names, '; ')
from vat_only
where is_other_amount and is_goods_only and goods_variance_pence = 0
union all
select level, order_key, currency, 120, 'WRONG_RATE', array_to_string(line_names, '; ')
from two_sided
where is_other_rate
union all
select level, order_key, currency, 130, 'MISSING_OR_EXTRA_LINE', array_to_string(line_names, '; ')
from two_sided
where is_one_sided
union all
select level, order_key, currency, 140, 'QUANTITY', array_to_string(line_names, '; ')
from two_sided
where is_other_quantity
union all
select level, order_key, currency, 150, 'PRICE_ENTERED', array_to_string(line_names, '; ')
from two_sided
where is_other_amount and is_goods_only and is_priced_by_unit and variance_pence <> 0
union all
select level, order_key, currency, 999, 'UNEXPLAINED', ''
from differing
