select time_ns, metric_name, coalesce(value, value_int), span_id
from exemplars
where trace_id = $trace_id
order by time_ns, metric_name
