-- What torch.compile compiled while a request, or the batch that it rode in, ran.
select
    trace_id,
    (try_cast(attributes['infersight.compile.duration'] as double) * 1e9)::bigint as duration_ns,
    attributes['infersight.compile.id']::varchar as id,
    attributes['infersight.compile.recompile_reason']::varchar as reason
from span_events
where trace_id in (select unnest($trace_ids::varchar[])) and time_ns between $from_ns and $until_ns
    and name = 'infersight.compilation'
order by time_ns
