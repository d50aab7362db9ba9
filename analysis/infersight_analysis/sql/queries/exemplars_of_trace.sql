select time_ns, metric_name, coalesce(value, value_int), span_id
from exemplars
where trace_id = $trace_id and time_ns between $from_ns and $until_ns
order by time_ns, metric_name
