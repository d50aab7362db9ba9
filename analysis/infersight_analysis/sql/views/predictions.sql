select
    time, time_ns,
    trace_id, span_id,
    service_name, service_version, service_instance_id,
    attributes['infersight.model.name']::varchar as model_name,
    attributes['infersight.model.version']::varchar as model_version,
    attributes, attributes_other,
    sample_weight
from logs
where event_name = 'infersight.prediction'
