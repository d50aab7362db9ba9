-- As `infersight slow` has it: a request is the first span of its trace that serves someone or has no parent, of those
-- of the service. A batch has a trace of its own and serves the requests that it links to: it is none itself. Only what
-- is needed to find the slowest is read of all requests, the rest of those alone.
with requests as (
    select trace_id, min((start_time_ns, -duration_ns, span_id)) as first
    from main.spans
    where (kind in ('SERVER', 'CONSUMER') or parent_span_id is null)
        and duration_ns is not null
        and attributes['infersight.operation']::varchar is distinct from 'batch'
        and (service is null or service_name = service)
        and start_time_ns >= stored.window_start_ns('spans', last, until)
        and start_time_ns < stored.window_end_ns('spans', until)
    group by trace_id
    order by first[2], trace_id
    limit n
)
select
    spans.trace_id, spans.span_id, spans.service_name, spans.service_version, spans.name,
    spans.attributes['http.route']::varchar as route,
    spans.start_time,
    spans.duration_ns / 1e6 as duration_ms,
    spans.status_code
from requests
join main.spans as spans
    on spans.trace_id = requests.trace_id
    and spans.span_id = first[3]
    and spans.start_time_ns = first[1]
    and spans.duration_ns = -first[2]
where service is null or spans.service_name = service
-- One that was sent twice is shown once.
qualify row_number() over (partition by spans.trace_id order by spans.name) = 1
order by spans.duration_ns desc, spans.trace_id
