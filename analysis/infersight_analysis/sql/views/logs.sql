select
    make_timestamp_ns(nullif(time_ns, 9223372036854775807)) as time,
    -- Stored only where it is not the sum.
    make_timestamp_ns(nullif(coalesce(observed_time_ns, time_ns + observed_delay_ns), 9223372036854775807)) as observed_time,
    time_ns,
    trace_id, span_id,
    service_name, service_version, service_instance_id,
    severity_number, severity_text, body, body_type, event_name,
    scope_name, scope_version, scope_attributes, scope_attributes_other,
    attributes, attributes_other, resource_attributes, resource_attributes_other,
    flags, dropped_attributes_count,
    sample_weight
from stored.logs
