select
    trace_id, span_id,
    service_name, service_version, service_instance_id,
    spans.name as span_name,
    make_timestamp_ns(event.time_ns) as time,
    event.time_ns as time_ns,
    event.name as name,
    event.attributes as attributes,
    event.attributes_other as attributes_other
from stored.spans as spans, unnest(spans.events) as unnested(event)
