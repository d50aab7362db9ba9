-- Spans of one operation in one process that overlap a span of it.
select trace_id, start_time_ns, start_time_ns + duration_ns as end_ns
from spans
where service_instance_id = $instance and name = $name
    and start_time_ns between $start_ns - 60000000000 and $end_ns
    and start_time_ns + duration_ns > $start_ns
    and (trace_id, span_id) <> ($trace_id, $span_id)
order by start_time_ns
