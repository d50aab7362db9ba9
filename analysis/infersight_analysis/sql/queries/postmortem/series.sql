-- What share of the requests failed, and how long 95 of 100 took at most, at equal steps.
select
    (start_time_ns - $from_ns) // $step_ns as step,
    coalesce(sum(weight) filter (has_failed), 0) / nullif(sum(weight), 0) as error_share,
    quantile_cont(duration_ns, 0.95)::double as p95_ns
from requests
group by step
order by step
