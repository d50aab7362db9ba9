-- The readings of every metric series of two times. A gauge, or a sum that may fall, reads as its value; a counter as its
-- rate a second; a histogram or summary as its rate and as the mean of what was recorded since the point before.
-- Cumulative ones are differences of neighbours of one start.
with points as (
    select
        coalesce(service_name, '') as service, {instance} as instance, name, coalesce(unit, '') as unit,
        coalesce(to_json(attributes)::varchar, '{{}}') as labels, time_ns,
        case
            when type = 'gauge' or (type = 'sum' and not coalesce(is_monotonic, false)) then 'value'
            when type = 'sum' then 'rate'
            else 'mean'
        end as reading,
        value, sum, count,
        coalesce(temporality = 'DELTA', false) as is_delta,
        (time_ns - lag(time_ns) over earlier) / 1e9 as passed_s,
        coalesce(temporality = 'DELTA', false) or start_time_ns is not distinct from lag(start_time_ns) over earlier as goes_on,
        lag(value) over earlier as previous_value,
        lag(sum) over earlier as previous_sum,
        lag(count) over earlier as previous_count
    from metrics
    -- With the time around the incident, so that what follows it is a difference to what came right before.
    where (time_ns >= least($from_ns, $guard_from_ns) and time_ns < greatest($until_ns, $guard_until_ns))
        or (time_ns >= $baseline_from_ns and time_ns < $baseline_until_ns)
    window earlier as (
        partition by service_name, {instance}, name, unit, type, coalesce(to_json(attributes)::varchar, '{{}}')
        order by time_ns)
),
readings as (
    select
        service, instance, name, unit, labels, time_ns, reading,
        case
            when reading = 'value' then value
            when not goes_on then null
            when reading = 'rate' then (value - if(is_delta, 0, previous_value)) / nullif(passed_s, 0)
            else (sum - if(is_delta, 0, previous_sum)) / nullif(count - if(is_delta, 0, previous_count), 0)
        end as number
    from points
    union all
    select
        service, instance, name, unit, labels, time_ns, 'count',
        (count - if(is_delta, 0, previous_count)) / nullif(passed_s, 0)
    from points
    where reading = 'mean' and goes_on
)
select distinct service, instance, name, unit, labels, reading, time_ns, number
from readings
where number is not null and isfinite(number)
    and ((time_ns >= $from_ns and time_ns < $until_ns)
        or (time_ns >= $baseline_from_ns and time_ns < $baseline_until_ns
            and (time_ns < $guard_from_ns or time_ns >= $guard_until_ns)))
