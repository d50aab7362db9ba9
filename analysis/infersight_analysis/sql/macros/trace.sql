select *
from main.spans
where trace_id = lower(trace)
order by start_time_ns, end_time_ns desc, span_id
