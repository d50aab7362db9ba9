-- As `infersight slow` has it: a request is the first span of its trace that serves someone or has no parent, of those
-- of the service. A batch has a trace of its own and serves the requests that it links to: it is none itself.
select
    trace_id, span_id, service_name, service_version, name, route,
    start_time,
    duration_ns / 1e6 as duration_ms,
    status_code
from (
    select
        trace_id, span_id, service_name, service_version, name, start_time, start_time_ns, duration_ns, status_code,
        attributes['http.route']::varchar as route
    from main.spans
    where (kind in ('SERVER', 'CONSUMER') or parent_span_id is null)
        and duration_ns is not null
        and attributes['infersight.operation']::varchar is distinct from 'batch'
        and (service is null or service_name = service)
        and start_time_ns >= stored.window_start_ns('spans', last, until)
        and start_time_ns < stored.window_end_ns('spans', until)
    qualify row_number() over (partition by trace_id order by start_time_ns, duration_ns desc, span_id) = 1
)
order by duration_ns desc, trace_id
limit n
