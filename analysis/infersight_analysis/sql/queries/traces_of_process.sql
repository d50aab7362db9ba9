-- The traces that processes worked for at some time of a profile, those first that they worked for longest; and who it was.
-- Where the profile could not tell the host, a process is told by its number alone.
with own as (
    select
        trace_id, service_name, service_instance_id, name,
        greatest(start_time_ns, $start_ns) as from_ns,
        least(coalesce(end_time_ns, $end_ns), $end_ns) as until_ns,
        parent_span_id is null or kind in ('SERVER', 'CONSUMER') as is_request
    from spans
    where start_time_ns < $end_ns
        and coalesce(end_time_ns, $end_ns) > $start_ns
        and list_contains($pids, resource_attributes['process.pid']::bigint)
        and coalesce(resource_attributes['host.name']::varchar = $host, true)
)
select
    trace_id,
    arg_max(name, (is_request, until_ns - from_ns)) as name,
    max(until_ns - from_ns) as within_ns,
    max(service_name) as service_name,
    max(service_instance_id) as service_instance_id
from own
where trace_id is not null
group by trace_id
order by within_ns desc, trace_id
