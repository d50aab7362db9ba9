-- Every gauge, sum and summary of every process as readings, see `metric_reading`, at equal steps, one series a row: the mean of
-- those of each step.
with points as (
    select
        service_name, service_instance_id, name, unit, coalesce(to_json(attributes)::varchar, '{}') as series, time_ns,
        stored.reading_kind(type, is_monotonic) as reading,
        coalesce(temporality = 'DELTA', false) as is_delta,
        struct_pack(time_ns, start_time_ns, value, sum, count) as point,
        lag(point) over (
            partition by service_name, service_instance_id, name, unit, type, series order by time_ns) as earlier
    from metrics
    where type in ('gauge', 'sum', 'summary')
        and coalesce(flags, 0) & 1 = 0
        and time_ns >= $from_ns and time_ns < $until_ns
        and ($metric is null or name = $metric)
        and ($service is null or service_name = $service)
),
readings as (
    select
        service_name, service_instance_id, name, unit, series, reading, (time_ns - $from_ns) // $step_ns as step,
        stored.metric_reading(reading, is_delta, point, earlier) as number
    from points
),
steps as (
    select service_name, service_instance_id, name, unit, reading, series, step, avg(number) as number
    from readings
    where isfinite(number)
    group by all
)
select
    service_name, service_instance_id, name, unit, reading, series as attributes,
    list(step order by step) as steps,
    list(number order by step) as numbers
from steps
group by all
having count(*) >= $least
order by service_name, name, series, reading, service_instance_id
