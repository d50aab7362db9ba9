-- Traces in a window and before it, and those of them in which something failed.
select
    start_time_ns >= $start_ns as is_now, sum(sample_weight), coalesce(sum(sample_weight) filter (error_count > 0), 0)
from traces
where start_time_ns >= $from_ns and start_time_ns < $until_ns
group by all
