-- When the first and the last of what series are made of was recorded, and how far apart points of metrics usually are.
with points as (
    select
        time_ns,
        time_ns - lag(time_ns) over (
            partition by service_name, service_instance_id, name, type, hash(attributes) order by time_ns) as apart_ns
    from metrics
    where time_ns > 0 and ($metric is null or name = $metric) and ($service is null or service_name = $service)
),
recorded as (
    select min(time_ns) as first_ns, max(time_ns) as last_ns, median(apart_ns) as apart_ns from points
    union all
    select min(start_time_ns), max(start_time_ns), null from spans where start_time_ns > 0
)
select min(first_ns) as first_ns, max(last_ns) as last_ns, coalesce(max(apart_ns), 0)::bigint as apart_ns
from recorded
