-- The requests of a time before the experiment, with the unit that each was for.
select trace_id, {unit} as unit, start_time_ns, duration_ns, status_code
from spans
where {is_request} and {unit} is not null
qualify row_number() over (partition by trace_id order by start_time_ns, span_id) = 1
