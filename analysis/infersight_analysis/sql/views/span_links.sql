-- UNNEST stands in the inner SELECT, see span_events.
select
    trace_id, span_id,
    service_name,
    span_name,
    link.trace_id as linked_trace_id,
    link.span_id as linked_span_id,
    link.attributes as attributes,
    link.attributes_other as attributes_other
from (
    select trace_id, span_id, service_name, name as span_name, unnest(links) as link
    from stored.spans
)
