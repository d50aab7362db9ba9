-- The spans around two times, as the trees are made of them. Of many traces a part is enough, chosen by the hash of
-- their ids, so that a trace is there whole or not at all.
select
    trace_id,
    hash(trace_id, span_id) as span,
    if(parent_span_id is null, 0::ubigint, hash(trace_id, parent_span_id)) as parent,
    start_time_ns,
    coalesce(end_time_ns, 0) as end_time_ns,
    coalesce(service_name, '') as service,
    {instance} as instance,
    coalesce(service_version, '') as version,
    coalesce(name, '') as name,
    coalesce(kind, '') as kind,
    coalesce(status_code = 'ERROR', false) as is_error,
    coalesce(
        list_filter(events, lambda event: event.name = 'exception')[1].attributes['exception.type']::varchar,
        attributes['error.type']::varchar,
        '') as error_type
from spans
where trace_id is not null
    and ((start_time_ns >= $from_ns and start_time_ns < $until_ns)
        or (start_time_ns >= $baseline_from_ns and start_time_ns < $baseline_until_ns
            and (start_time_ns < $guard_from_ns or start_time_ns >= $guard_until_ns)))
    and hash(trace_id) % $one_in = 0
