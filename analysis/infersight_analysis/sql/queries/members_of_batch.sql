-- The requests of a batch: what its own span links to, and what each one's `batched` span says of its part.
with members as (
    select link.trace_id as trace_id, link.span_id as span_id
    from (select unnest(links) as link from spans where trace_id = $batch_trace_id and span_id = $batch_span_id)
),
told as (
    select
        trace_id,
        max(try_cast(attributes['infersight.batch.item.size'] as double)) as size,
        max(try_cast(attributes['infersight.batch.share'] as double)) as share,
        max(try_cast(attributes['infersight.batch.queue.duration'] as double)) as queue_s
    from spans
    where trace_id in (select trace_id from members) and start_time_ns between $from_ns and $until_ns
        and attributes['infersight.operation']::varchar in ('queue', 'batched')
    group by trace_id
)
select distinct members.trace_id, size, share, (queue_s * 1e9)::bigint as queue_ns
from members left join told using (trace_id)
order by size desc nulls last, members.trace_id
