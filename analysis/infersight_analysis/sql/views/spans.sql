select
    trace_id, span_id, parent_span_id,
    service_name, service_version, service_instance_id,
    name, kind,
    stored.timestamp_of(start_time_ns) as start_time,
    -- Stored only where it is not the sum.
    stored.timestamp_of(coalesce(end_time_ns, start_time_ns + duration_ns)) as end_time,
    start_time_ns, coalesce(end_time_ns, start_time_ns + duration_ns) as end_time_ns, duration_ns,
    status_code, status_message,
    scope_name, scope_version, scope_attributes, scope_attributes_other,
    attributes, attributes_other, resource_attributes, resource_attributes_other,
    events, links,
    trace_state, flags, dropped_attributes_count, dropped_events_count, dropped_links_count,
    sample_weight
from stored.spans
