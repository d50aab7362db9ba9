-- The points of the processes that served a trace. Where either side names no instance, the service has to do.
with spans as materialized (
    select service_name, service_instance_id, start_time_ns, end_time_ns from main.trace(trace)
),
around as (
    select min(start_time_ns) as start_ns, max(least(coalesce(end_time_ns, start_time_ns), 4611686018427387903)) as end_ns
    from spans
),
processes as (
    select distinct service_name, service_instance_id from spans
)
select
    time,
    (time_ns - around.start_ns) / 1e6 as offset_ms,
    case when time_ns < around.start_ns then 'before' when time_ns <= around.end_ns then 'during' else 'after' end as phase,
    service_name, service_instance_id,
    name, unit, type, temporality, attributes,
    value, count, sum, min, max,
    time_ns
from main.metrics
join around
    on time_ns >= around.start_ns - epoch_ns(cast(padding as interval))
    and time_ns <= around.end_ns + epoch_ns(cast(padding as interval))
where exists (
    from processes
    where processes.service_name is not distinct from metrics.service_name
        and coalesce(processes.service_instance_id = metrics.service_instance_id, true))
order by service_name, service_instance_id, name, to_json(attributes)::varchar, time_ns
