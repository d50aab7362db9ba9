-- The requests of a time, counted.
select
    count(*) as kept,
    coalesce(sum(weight), 0) as requests,
    coalesce(sum(weight) filter (has_failed), 0) as failed,
    coalesce(sum(weight) filter (duration_ns > $slow_ns), 0) as slow,
    count(distinct user_id) as users,
    count(distinct user_id) filter (has_failed or duration_ns > $slow_ns) as users_concerned,
    quantile_cont(duration_ns, [0.5, 0.95, 0.99]) as quantiles_ns,
    coalesce(bool_and(weight = 1), true) as is_whole
from requests
