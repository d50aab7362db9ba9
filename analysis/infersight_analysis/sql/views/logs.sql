select
    stored.timestamp_of(time_ns) as time,
    -- Stored only where it is not the sum.
    stored.timestamp_of(coalesce(observed_time_ns, time_ns + observed_delay_ns)) as observed_time,
    time_ns,
    trace_id, span_id,
    service_name, service_version, service_instance_id,
    severity_number, severity_text, body, body_type, event_name,
    scope_name, scope_version, scope_attributes, scope_attributes_other,
    attributes, attributes_other, resource_attributes, resource_attributes_other,
    flags, dropped_attributes_count,
    sample_weight
from stored.logs
