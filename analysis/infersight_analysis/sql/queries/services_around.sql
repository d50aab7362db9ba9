-- Requests of each service, failed ones and their median duration, in a window and before it.
select
    service_name, start_time_ns >= $start_ns as is_now,
    sum(sample_weight), coalesce(sum(sample_weight) filter (status_code = 'ERROR'), 0), median(duration_ns)::bigint
from spans
where kind in ('SERVER', 'CONSUMER') and start_time_ns >= $from_ns and start_time_ns < $until_ns
group by all
