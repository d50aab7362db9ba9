-- Spans as rows of stored.traces: each is the summary of itself. For files of spans that have no summaries yet.
select
    trace_id,
    start_time_ns,
    coalesce(end_time_ns, start_time_ns + duration_ns, start_time_ns) as end_time_ns,
    parent_span_id is not null as root_missing,
    0::bigint as root_delay_ns,
    service_name as root_service,
    name as root_name,
    status_code,
    sample_weight,
    1::bigint as span_count,
    coalesce(status_code = 'ERROR', false)::bigint as error_count,
    case when service_name is null then []::varchar[] else [service_name] end as services,
    date, hour
from unsummarised
