-- The readings of some metric series of the process that served a request, in the times that are asked for: gauges, and
-- sums that may fall, as they are; counters by the second; histograms and summaries as the mean since the point before.
-- Cumulative ones are differences of neighbours of one start.
with process as (
    select service_instance_id as instance from spans where trace_id = $trace_id and span_id = $span_id limit 1
),
points as (
    select
        name, coalesce(to_json(attributes)::varchar, '{}') as series, time_ns, value, sum, count,
        case
            when type = 'gauge' or (type = 'sum' and not coalesce(is_monotonic, false)) then 'value'
            when type = 'sum' then 'rate'
            else 'mean'
        end as reading,
        coalesce(temporality = 'DELTA', false) as is_delta,
        (time_ns - lag(time_ns) over earlier) / 1e9 as passed_s,
        coalesce(temporality = 'DELTA', false) or start_time_ns is not distinct from lag(start_time_ns) over earlier as goes_on,
        lag(value) over earlier as previous_value,
        lag(sum) over earlier as previous_sum,
        lag(count) over earlier as previous_count
    from metrics
    where service_instance_id = (select instance from process)
        and name in (select unnest($names::varchar[]))
        and time_ns between $from_ns and $until_ns
    window earlier as (
        partition by name, unit, type, coalesce(to_json(attributes)::varchar, '{}') order by time_ns)
),
readings as (
    select
        name, series, reading, time_ns,
        case
            when reading = 'value' then value
            when not goes_on then null
            when reading = 'rate' then (value - if(is_delta, 0, previous_value)) / nullif(passed_s, 0)
            else (sum - if(is_delta, 0, previous_sum)) / nullif(count - if(is_delta, 0, previous_count), 0)
        end as number
    from points
)
select name, series, reading, time_ns, number
from readings
where number is not null and isfinite(number)
order by name, series, reading, time_ns
