-- Every gauge, sum and summary of every process as readings at equal steps, one series a row: gauges, and sums that may
-- fall, as the mean of the step; counters by the second; summaries as the mean of what was recorded.
-- A cumulative counter is the difference of neighbours; one that fell, or that has another start, began anew from 0. So
-- does the first point of a series count nothing. A rate belongs to the time since the point before: an export that
-- comes a little early or late is no change of it.
with points as (
    select
        service_name, service_instance_id, name, unit, coalesce(to_json(attributes)::varchar, '{}') as series, time_ns,
        case
            when type = 'summary' then 'mean'
            when type = 'sum' and coalesce(is_monotonic, false) then 'rate'
            else 'value'
        end as reading,
        value, sum, count,
        coalesce(temporality = 'DELTA', false) as is_delta,
        lag(time_ns) over earlier as previous_ns,
        lag(value) over earlier as previous_value,
        lag(sum) over earlier as previous_sum,
        lag(count) over earlier as previous_count,
        start_time_ns is not distinct from lag(start_time_ns) over earlier as same_start,
        start_time_ns
    from metrics
    where type in ('gauge', 'sum', 'summary')
        and coalesce(flags, 0) & 1 = 0
        and time_ns >= $from_ns and time_ns < $until_ns
        and ($metric is null or name = $metric)
        and ($service is null or service_name = $service)
    window earlier as (
        partition by service_name, service_instance_id, name, unit, type, coalesce(to_json(attributes)::varchar, '{}')
        order by time_ns)
),
readings as (
    select
        service_name, service_instance_id, name, unit, series, reading, (time_ns - $from_ns) // $step_ns as step,
        case
            when reading = 'value' then value
            when reading = 'mean' and previous_ns is null then null
            when reading = 'mean' and same_start and count >= previous_count
                then (sum - previous_sum) / nullif(count - previous_count, 0)
            when reading = 'mean' then sum / nullif(count, 0)
            when is_delta then value * 1e9 / nullif(time_ns - coalesce(nullif(start_time_ns, 0), previous_ns), 0)
            when previous_ns is null then null
            when same_start and value >= previous_value then (value - previous_value) * 1e9 / nullif(time_ns - previous_ns, 0)
            else value * 1e9 / nullif(time_ns - greatest(previous_ns, coalesce(start_time_ns, 0)), 0)
        end as number
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
