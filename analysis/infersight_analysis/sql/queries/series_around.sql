-- The readings of some metric series, see `metric_reading`, of the process that served a request, in the times that are asked
-- for.
with process as (
    select service_instance_id as instance from spans where trace_id = $trace_id and span_id = $span_id limit 1
),
points as (
    select
        name, coalesce(to_json(attributes)::varchar, '{}') as series, time_ns,
        stored.reading_kind(type, is_monotonic) as reading,
        coalesce(temporality = 'DELTA', false) as is_delta,
        struct_pack(time_ns, start_time_ns, value, sum, count) as point,
        lag(point) over (partition by name, unit, type, series order by time_ns) as earlier
    from metrics
    where service_instance_id = (select instance from process)
        and name in (select unnest($names::varchar[]))
        and time_ns between $from_ns and $until_ns
),
readings as (
    select name, series, reading, time_ns, stored.metric_reading(reading, is_delta, point, earlier) as number from points
)
select name, series, reading, time_ns, number
from readings
where number is not null and isfinite(number)
order by name, series, reading, time_ns
