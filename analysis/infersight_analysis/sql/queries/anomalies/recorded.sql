-- When the first and the last of what series are made of was recorded.
select min(first_ns) as first_ns, max(last_ns) as last_ns
from (
    select min(time_ns) as first_ns, max(time_ns) as last_ns from metrics where time_ns > 0
    union all
    select min(start_time_ns), max(start_time_ns) from spans where start_time_ns > 0
)
