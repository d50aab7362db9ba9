-- As `infersight slow` has it: a request is the first span of its trace that serves someone or has no parent, of those
-- of the service. A batch has a trace of its own and serves the requests that it links to: it is none itself.
-- None takes longer than all that its trace's summary is of, and slow ones seldom much less. So the traces with the
-- longest summaries are looked at first, and of the others only those that may have a slower request.
with summaries as materialized (
    select trace_id, coalesce(duration_ns, end_time_ns - start_time_ns, 9223372036854775807) as most_ns
    from stored.summaries
    where trace_id is not null
        and (service is null or list_contains(services, service))
        and start_time_ns < stored.window_end_ns('spans', until)
        and stored.may_lie_within(
            date, hour, stored.window_start_ns('spans', last, until), stored.window_end_ns('spans', until))
),
requests as not materialized (
    select
        trace_id,
        -- The least STRUCT is that by its fields in their order.
        {
            'start_time_ns': start_time_ns, 'minus_duration_ns': -duration_ns, 'span_id': span_id, 'name': name,
            'service_name': service_name, 'service_version': service_version,
            'route': attributes['http.route']::varchar, 'status_code': status_code
        } as span
    from stored.spans
    where (kind in ('SERVER', 'CONSUMER') or parent_span_id is null)
        and duration_ns is not null
        and attributes['infersight.operation']::varchar is distinct from 'batch'
        and (service is null or service_name = service)
        and start_time_ns >= stored.window_start_ns('spans', last, until)
        and start_time_ns < stored.window_end_ns('spans', until)
        and stored.may_lie_within(
            date, hour, stored.window_start_ns('spans', last, until), stored.window_end_ns('spans', until))
),
likely as materialized (
    select distinct trace_id from (select * from summaries order by most_ns desc limit n)
),
among_likely as materialized (
    select trace_id, min(span) as span from requests where trace_id in (from likely) group by trace_id
),
rest as materialized (
    select distinct trace_id
    from summaries
    where trace_id not in (from likely)
        and most_ns >= (
            select if(count(*) < n, -9223372036854775808, min(-span.minus_duration_ns)) from among_likely)
)
select
    trace_id, span.span_id as span_id, span.service_name as service_name, span.service_version as service_version,
    span.name as name, span.route as route,
    stored.timestamp_of(span.start_time_ns) as start_time,
    -span.minus_duration_ns / 1e6 as duration_ms,
    span.status_code as status_code
from (
    from among_likely
    union all
    select trace_id, min(span) as span from requests where trace_id in (from rest) group by trace_id
)
order by span.minus_duration_ns, trace_id
limit n
