-- What each metric series of one process read around a request, see `metric_reading`, and how that compares with its hour
-- before.
with points as (
    select
        name, unit, coalesce(to_json(attributes)::varchar, '{}') as series, time_ns,
        stored.reading_kind(type, is_monotonic) as reading,
        coalesce(temporality = 'DELTA', false) as is_delta,
        struct_pack(time_ns, start_time_ns, value, sum, count) as point,
        lag(point) over (partition by name, unit, type, series order by time_ns) as earlier
    from metrics
    where service_instance_id = $instance and time_ns between $from_ns and $until_ns
),
readings as (
    select
        name, unit, series, reading, time_ns,
        coalesce(
            stored.metric_reading(reading, is_delta, point, earlier),
            -- The first point of a cumulative histogram holds all that was recorded until then.
            if(reading = 'mean' and earlier is null, point.sum / nullif(point.count, 0), null)) as number
    from points
)
select
    name, unit, series, reading,
    arg_max(number, time_ns) filter (time_ns < $start_ns) as before,
    arg_min(number, time_ns) filter (time_ns >= $end_ns) as after,
    min(time_ns) filter (time_ns >= $end_ns) as after_ns,
    list(number) filter (time_ns < $start_ns) as history
from readings
where number is not null and isfinite(number)
group by all
having after is not null
order by name, series
