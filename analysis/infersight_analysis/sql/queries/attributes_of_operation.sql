-- Some attributes of the spans of some operations in other traces, and how long they took.
select service_name, name, duration_ns, {attributes}
from spans
where trace_id in (select unnest($trace_ids::varchar[])) and trace_id between $first and $last
    and start_time_ns between $from_ns and $until_ns
    and name in (select unnest($names::varchar[]))
    and duration_ns is not null
order by trace_id, span_id
