-- Attributes of the spans of one operation in other traces, and how long they took.
select to_json(attributes)::varchar, duration_ns
from spans
where trace_id in (select unnest($trace_ids::varchar[]))
    and start_time_ns between $from_ns and $until_ns
    and name = $name and service_name is not distinct from $service
    and duration_ns is not null
order by trace_id, span_id
