-- Spans of some traces, between two times so that other files are skipped.
select
    trace_id, span_id, parent_span_id, name, kind, start_time_ns, end_time_ns,
    service_name, service_instance_id, service_version, status_code,
    attributes['infersight.operation'] as operation,
    case when $with_attributes then to_json(attributes)::varchar end as attributes
from spans
where trace_id in (select unnest($trace_ids::varchar[]))
    and start_time_ns between $from_ns and $until_ns
