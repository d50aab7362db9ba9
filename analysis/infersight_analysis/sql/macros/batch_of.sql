-- A batch has a trace of its own and links to the spans of the requests that rode in it; where those are more than links
-- are kept (128 by default), the requests' own links to the batch are. It starts while they wait for it.
with own as (
    select trace_id, span_id, links, start_time_ns, coalesce(end_time_ns, start_time_ns) as end_time_ns
    from main.trace(trace)
),
under_way as (select min(start_time_ns) as start_ns, max(end_time_ns) as end_ns from own),
candidates as (
    select
        trace_id, span_id, name, start_time, start_time_ns, duration_ns, links,
        attributes['infersight.operation']::varchar as operation,
        try_cast(attributes['infersight.batch.size'] as bigint) as size,
        attributes['infersight.batch.release_reason']::varchar as release_reason
    from main.spans join under_way on start_time_ns between start_ns and end_ns
    where len(links) > 0
),
batches as (
    select *
    from candidates
    where (operation = 'batch' or (operation is null and len(links) > 1))
        and (list_contains(list_transform(links, lambda link: link.trace_id), lower(trace))
            or (trace_id, span_id) in (
                select (link.trace_id, link.span_id) from (select unnest(links) as link from own)))
),
members as (
    select trace_id, span_id, link.trace_id as member_trace_id, link.span_id as member_span_id
    from (select trace_id, span_id, unnest(links) as link from batches)
    union
    select trace_id, span_id, lower(trace), null
    from batches
    where not list_contains(list_transform(links, lambda link: link.trace_id), lower(trace))
),
-- What the requests say of it: the spans `queue` and `batched` of the SDK.
told as (
    select
        trace_id as member_trace_id, link.trace_id, link.span_id,
        max(queue_s) * 1e3 as queue_ms,
        max(share) as share
    from (
        select
            trace_id,
            try_cast(attributes['infersight.batch.queue.duration'] as double) as queue_s,
            try_cast(attributes['infersight.batch.share'] as double) as share,
            unnest(links) as link
        from main.spans
        where trace_id in (select member_trace_id from members) and len(links) > 0
    )
    group by all
)
select
    batches.name as batch,
    batches.start_time,
    batches.duration_ns / 1e6 as duration_ms,
    batches.size, batches.release_reason,
    members.member_trace_id,
    members.member_trace_id = lower(trace) as is_this,
    told.queue_ms, told.share,
    batches.trace_id as batch_trace_id, batches.span_id as batch_span_id, members.member_span_id
from batches
join members using (trace_id, span_id)
left join told using (trace_id, span_id, member_trace_id)
order by batches.start_time_ns, batch_span_id, is_this desc, members.member_trace_id, members.member_span_id
