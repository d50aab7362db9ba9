-- Durations of the requests of the same operation as one, in the times that are asked for.
with one as (
    select trace_id, service_name, name, kind, attributes['http.route']::varchar as route
    from spans
    where trace_id = $trace_id and span_id = $span_id
    limit 1
)
select spans.duration_ns
from spans
join one
    on spans.service_name is not distinct from one.service_name
    and spans.name = one.name
    and spans.kind = one.kind
    and spans.attributes['http.route']::varchar is not distinct from one.route
where spans.start_time_ns between $from_ns and $until_ns
    and spans.duration_ns is not null
    and spans.trace_id <> one.trace_id
order by hash(spans.trace_id)
limit $most
