-- The requests of a time, counted. A request is the first span of its trace that serves someone or has no parent, and no
-- batch; sampled ones stand for as many as they weigh. A user is what `enduser.id` or `user.id` says.
with requests as (
    select
        duration_ns, status_code = 'ERROR' as has_failed, sample_weight as weight,
        coalesce(attributes['enduser.id']::varchar, attributes['user.id']::varchar) as user_id
    from spans
    where (kind in ('SERVER', 'CONSUMER') or parent_span_id is null)
        and duration_ns is not null
        and attributes['infersight.operation']::varchar is distinct from 'batch'
        and start_time_ns >= $from_ns and start_time_ns < $until_ns
        and ($service is null or service_name = $service)
    qualify row_number() over (partition by trace_id order by start_time_ns, duration_ns desc, span_id) = 1
)
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
