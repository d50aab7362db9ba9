select *
from main.logs
where trace_id = lower(trace)
order by time_ns
