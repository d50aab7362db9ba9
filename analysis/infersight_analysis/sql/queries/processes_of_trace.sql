-- The processes that worked for a trace, and from when to when.
select
    resource_attributes['process.pid']::bigint as pid,
    resource_attributes['host.name']::varchar as host,
    min(start_time_ns) as from_ns,
    max(coalesce(end_time_ns, start_time_ns)) as until_ns
from spans
where trace_id = $trace_id and start_time_ns between $from_ns and $until_ns
    and resource_attributes['process.pid'] is not null
group by all
