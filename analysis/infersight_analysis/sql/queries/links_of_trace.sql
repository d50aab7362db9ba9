-- The batches that a request rode in: what its `queue` and `batched` spans link to.
select distinct link.trace_id, link.span_id
from (
    select unnest(links) as link
    from spans
    where trace_id = $trace_id and start_time_ns between $from_ns and $until_ns
        and attributes['infersight.operation']::varchar in ('queue', 'batched')
)
