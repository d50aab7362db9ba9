-- What each metric series of one process read around a request, and how that compares with its hour before.
-- A gauge, or a sum that may fall, reads as its value; a counter as its rate a second; a histogram or summary as the
-- mean of what was recorded since the point before. Cumulative ones are differences of neighbours of one start.
with points as (
    select
        name, unit, coalesce(to_json(attributes)::varchar, '{}') as series, time_ns, value, sum, count,
        case
            when type = 'gauge' or (type = 'sum' and not coalesce(is_monotonic, false)) then 'value'
            when type = 'sum' then 'rate'
            else 'mean'
        end as reading,
        temporality = 'DELTA' as is_delta,
        lag(time_ns) over earlier as previous_ns,
        start_time_ns is not distinct from lag(start_time_ns) over earlier as goes_on,
        value - lag(value) over earlier as value_step,
        sum - lag(sum) over earlier as sum_step,
        count - lag(count) over earlier as count_step
    from metrics
    where service_instance_id = $instance and time_ns between $from_ns and $until_ns
    window earlier as (partition by name, unit, type, coalesce(to_json(attributes)::varchar, '{}') order by time_ns)
),
readings as (
    select
        name, unit, series, reading, time_ns,
        case
            when reading = 'value' then value
            when reading = 'rate' and is_delta then value / nullif((time_ns - previous_ns) / 1e9, 0)
            when reading = 'rate' and goes_on then value_step / nullif((time_ns - previous_ns) / 1e9, 0)
            when reading = 'mean' and is_delta then sum / nullif(count, 0)
            when reading = 'mean' and goes_on then sum_step / nullif(count_step, 0)
            -- The first point of a cumulative histogram holds all that was recorded until then.
            when reading = 'mean' and previous_ns is null then sum / nullif(count, 0)
        end as number
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
