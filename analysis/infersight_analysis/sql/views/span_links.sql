select
    spans.trace_id, spans.span_id,
    spans.service_name,
    spans.name as span_name,
    link.trace_id as linked_trace_id,
    link.span_id as linked_span_id,
    link.attributes as attributes,
    link.attributes_other as attributes_other
from stored.spans as spans, unnest(spans.links) as unnested(link)
