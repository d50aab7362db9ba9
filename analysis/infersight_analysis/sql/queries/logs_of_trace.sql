select
    time_ns, service_name, span_id, severity_text, body, event_name,
    attributes['exception.type']::varchar as exception_type,
    attributes['exception.message']::varchar as exception_message
from logs
where trace_id = $trace_id
order by time_ns
