select
    stored.timestamp_of(time_ns) as time,
    time_ns,
    metric_name, metric_type,
    service_name, service_version, service_instance_id,
    value, value_int,
    trace_id, span_id,
    attributes, attributes_other, point_attributes, point_attributes_other,
    stored.timestamp_of(point_time_ns) as point_time,
    resource_attributes, resource_attributes_other
from stored.exemplars
