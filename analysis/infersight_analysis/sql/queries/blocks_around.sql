-- Blocked stretches of the event loop of one process that overlap a request. The event is emitted after the block, so
-- [time - lag, time] lies a little late: by up to a quarter of the threshold from which the SDK calls a loop blocked.
with blocks as (
    select
        time_ns, trace_id,
        (try_cast(attributes['infersight.event_loop.lag'] as double) * 1e9)::bigint as lag_ns,
        coalesce((try_cast(attributes['infersight.cpu.queue.duration'] as double) * 1e9)::bigint, 0) as waited_ns,
        attributes['code.function.name']::varchar as function,
        attributes['code.file.path']::varchar as file,
        try_cast(attributes['code.line.number'] as bigint) as line
    from logs
    where event_name = 'infersight.event_loop.blocked'
        and service_instance_id is not distinct from $instance
        and time_ns between $start_ns and $end_ns + 60000000000
)
select trace_id, time_ns - lag_ns as start_ns, time_ns as end_ns, lag_ns, waited_ns, function, file, line
from blocks
where time_ns - lag_ns < $end_ns
order by time_ns
