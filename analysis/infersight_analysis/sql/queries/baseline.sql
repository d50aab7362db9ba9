-- Requests of the same operation, whatever their version, in order of their ids: a part of them is a random one, and the
-- same every time.
select
    trace_id, span_id, start_time_ns, duration_ns, service_version,
    coalesce((try_cast(attributes['infersight.request.queue.duration'] as double) * 1e9)::bigint, 0) as accept_ns
from spans
where start_time_ns >= $from_ns and start_time_ns < $until_ns
    and trace_id <> $trace_id
    and name = $name and kind = $kind
    and service_name is not distinct from $service
    and attributes['http.route']::varchar is not distinct from $route
    and duration_ns is not null
order by trace_id, span_id
limit $most
