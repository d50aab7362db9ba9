select
    trace_id, span_id, parent_span_id,
    service_name, service_version, service_instance_id,
    name, kind,
    -- 2^63-1, where later times end up, is not a time that TIMESTAMP_NS can say, and would end the query.
    make_timestamp_ns(nullif(start_time_ns, 9223372036854775807)) as start_time,
    -- Stored only where it is not the sum.
    make_timestamp_ns(nullif(coalesce(end_time_ns, start_time_ns + duration_ns), 9223372036854775807)) as end_time,
    -- A filter on start_time does not reach the files' ranges through the conversion, one on start_time_ns does.
    start_time_ns, coalesce(end_time_ns, start_time_ns + duration_ns) as end_time_ns, duration_ns,
    status_code, status_message,
    scope_name, scope_version, scope_attributes, scope_attributes_other,
    attributes, attributes_other, resource_attributes, resource_attributes_other,
    events, links,
    trace_state, flags, dropped_attributes_count, dropped_events_count, dropped_links_count,
    sample_weight
from stored.spans
