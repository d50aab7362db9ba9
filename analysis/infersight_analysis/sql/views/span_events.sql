-- UNNEST stands in the inner SELECT, not in FROM: as a lateral join it would carry every column of spans along.
select
    trace_id, span_id,
    service_name, service_version, service_instance_id,
    span_name,
    stored.timestamp_of(event.time_ns) as time,
    event.time_ns as time_ns,
    event.name as name,
    event.attributes as attributes,
    event.attributes_other as attributes_other,
    sample_weight
from (
    select
        trace_id, span_id, service_name, service_version, service_instance_id,
        name as span_name, sample_weight, unnest(events) as event
    from stored.spans
)
