-- Requests of the same operation, in order of their ids, so that a part of them is chosen alike every time.
select trace_id, span_id, start_time_ns, duration_ns
from spans
where start_time_ns >= $from_ns and start_time_ns < $until_ns
    and trace_id <> $trace_id
    and name = $name and kind = $kind
    and service_name is not distinct from $service
    and service_version is not distinct from $version
    and attributes['http.route']::varchar is not distinct from $route
    and duration_ns is not null
order by trace_id, span_id
