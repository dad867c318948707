-- rejected_keys (working table). Grain: one level and order key that a rejected record or day makes incomparable.
create temp table rejected_keys as
select distinct
    rejections.level,
    coalesce(
        nullif(rejections.order_number, ''), numbers.order_number, 'PRIMA ' || rejections.order_number_prima
    ) as order_key
from staged.rejections as rejections
left join staged.order_numbers as numbers on numbers.order_number_prima = rejections.order_number_prima
where rejections.level <> '' and (rejections.order_number <> '' or rejections.order_number_prima <> '')
union
select rejections.level, magento.order_number as order_key
from staged.rejections as rejections
inner join magento_documents as magento
    on magento.level = rejections.level and magento.business_date = rejections.business_date
union
select rejections.level, prima.order_key
from staged.rejections as rejections
inner join prima_documents as prima
    on prima.level = rejections.level and prima.business_date = rejections.business_date
