select
    stored.timestamp_of(time_ns) as time,
    stored.timestamp_of(start_time_ns) as start_time,
    time_ns, start_time_ns,
    service_name, service_version, service_instance_id,
    name, description, unit, type, temporality, is_monotonic,
    value, value_int,
    count, sum, min, max, bounds, bucket_counts,
    scale, zero_count, zero_threshold,
    positive_offset, positive_bucket_counts, negative_offset, negative_bucket_counts,
    quantiles,
    scope_name, scope_version, scope_attributes, scope_attributes_other,
    attributes, attributes_other, resource_attributes, resource_attributes_other,
    metadata::json as metadata, flags
from stored.metrics
