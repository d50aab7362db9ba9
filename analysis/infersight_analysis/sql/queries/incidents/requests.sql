-- The requests of a time, in its order. A request is the first span of its trace that serves someone or has no parent;
-- a batch has a trace of its own and serves the requests that it links to: it is none itself.
select duration_ns::double as duration_ns, status_code = 'ERROR' as has_failed, sample_weight
from (
    select trace_id, span_id, service_name, start_time_ns, duration_ns, status_code, sample_weight
    from spans
    where (kind in ('SERVER', 'CONSUMER') or parent_span_id is null)
        and duration_ns is not null
        and attributes['infersight.operation']::varchar is distinct from 'batch'
        and start_time_ns >= $from_ns and start_time_ns < $until_ns
        and ($service is null or service_name = $service)
    qualify row_number() over (partition by trace_id order by start_time_ns, duration_ns desc, span_id) = 1
)
order by start_time_ns
