select
    time_ns, service_name, span_id, severity_text, body, event_name,
    attributes['exception.type']::varchar as exception_type,
    attributes['exception.message']::varchar as exception_message,
    coalesce(attributes['infersight.log.template']::varchar, stored.message_template(body::varchar)) as template
from logs
where trace_id = $trace_id and time_ns between $from_ns and $until_ns
order by time_ns
