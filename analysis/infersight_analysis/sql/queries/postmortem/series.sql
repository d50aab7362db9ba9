-- What share of the requests failed, and how long 95 of 100 took at most, at equal steps.
with requests as (
    select start_time_ns, duration_ns, status_code = 'ERROR' as has_failed, sample_weight as weight
    from spans
    where (kind in ('SERVER', 'CONSUMER') or parent_span_id is null)
        and duration_ns is not null
        and attributes['infersight.operation']::varchar is distinct from 'batch'
        and start_time_ns >= $from_ns and start_time_ns < $until_ns
        and ($service is null or service_name = $service)
    qualify row_number() over (partition by trace_id order by start_time_ns, duration_ns desc, span_id) = 1
)
select
    (start_time_ns - $from_ns) // $step_ns as step,
    coalesce(sum(weight) filter (has_failed), 0) / nullif(sum(weight), 0) as error_share,
    quantile_cont(duration_ns, 0.95)::double as p95_ns
from requests
group by step
order by step
