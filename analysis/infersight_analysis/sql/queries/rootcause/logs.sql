-- The log records of two times.
select
    time_ns,
    coalesce(trace_id, '') as trace_id,
    hash(trace_id, span_id) as span,
    coalesce(service_name, '') as service,
    {instance} as instance,
    coalesce(severity_number, 0) as severity,
    coalesce(attributes['exception.type']::varchar, '') as exception,
    {place} as place,
    coalesce(attributes['infersight.log.template']::varchar, '') as template,
    if(attributes['infersight.log.template'] is null, coalesce(event_name, left(body::varchar, 1000), ''), '') as body
from logs
where ((time_ns >= $from_ns and time_ns < $until_ns)
        or (time_ns >= $baseline_from_ns and time_ns < $baseline_until_ns
            and (time_ns < $guard_from_ns or time_ns >= $guard_until_ns)))
    and (trace_id is null or hash(trace_id) % $one_in = 0)
