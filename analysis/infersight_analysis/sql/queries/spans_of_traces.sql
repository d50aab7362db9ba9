-- Spans of some traces, between two times and ids so that other files and parts of files are skipped.
select
    trace_id, span_id, parent_span_id, name, kind, start_time_ns, end_time_ns,
    service_name, service_instance_id, service_version, status_code,
    case when $with_attributes then to_json(attributes)::varchar end as attributes,
    attributes['infersight.operation']::varchar as operation,
    try_cast(attributes['infersight.cpu.duration'] as double) as cpu_s,
    try_cast(attributes['infersight.cpu.queue.duration'] as double) as cpu_queue_s,
    try_cast(attributes['infersight.event_loop.lag'] as double) as lag_s,
    try_cast(attributes['infersight.gc.duration'] as double) as gc_s,
    try_cast(attributes['infersight.requests.in_flight'] as bigint) as in_flight,
    try_cast(attributes['infersight.thread_pool.queue.duration'] as double) as thread_pool_s
from spans
where trace_id in (select unnest($trace_ids::varchar[])) and trace_id between $first and $last
    and start_time_ns between $from_ns and $until_ns
