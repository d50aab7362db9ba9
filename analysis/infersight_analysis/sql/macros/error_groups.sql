-- As `infersight errors` counts failures: an exception leaves an event on each span that it passes, a log record and
-- failed spans, which is one failure of its trace; without an exception the first record stands for the trace. A failure
-- weighs what its lightest record does: errors are logged whether or not their request was sampled and weigh 1 then, so
-- the spans of a sampled request stand for failures that were counted already. What weighs 0 stands for no other.
with considered as (
    select coalesce(until_ns - epoch_ns(cast(last as interval)), 0) as from_ns, until_ns
    from (select greatest(stored.window_end_ns('spans', until), stored.window_end_ns('logs', until)) as until_ns)
),
-- Of spans that may be under way in the window, for which files are skipped, as they are not by the times of events.
exceptions as (
    select
        trace_id, span_id, event.time_ns as time_ns, service_name, service_version,
        event.attributes as attributes, sample_weight
    from (
        select trace_id, span_id, service_name, service_version, sample_weight, unnest(events) as event
        from main.spans join considered on start_time_ns >= from_ns - 3600000000000 and start_time_ns < until_ns
    )
    where event.name = 'exception'
),
records as (
    select
        'span event' as source, trace_id, span_id, time_ns, service_name, service_version,
        attributes['exception.type']::varchar as kind,
        coalesce(attributes['exception.message']::varchar, '') as message,
        sample_weight
    from exceptions join considered on time_ns >= from_ns and time_ns < until_ns
    union all
    select
        'log', trace_id, span_id, time_ns, service_name, service_version,
        attributes['exception.type']::varchar,
        coalesce(attributes['exception.message']::varchar, body, ''),
        sample_weight
    from main.logs join considered on time_ns >= from_ns and time_ns < until_ns
    where severity_number >= 17 or attributes['exception.type'] is not null
    union all
    select
        'span status', trace_id, span_id, least(coalesce(end_time_ns, start_time_ns), 9223372036854775806),
        service_name, service_version,
        attributes['error.type']::varchar,
        coalesce(status_message, name || ' failed', ''),
        sample_weight
    from main.spans join considered on start_time_ns >= from_ns and start_time_ns < until_ns
    where status_code = 'ERROR'
),
ordered as (
    select
        *,
        -- Senders write `ValueError` and `builtins.ValueError`.
        regexp_extract(kind, '[^.]*$') as class,
        kind is not null and source <> 'span status' as is_exception,
        row_number() over (order by time_ns, source, span_id) as place
    from records
    where service is null or service_name = service
),
-- Failed spans and error logs without an exception belong to the first exception of their trace.
assigned as (
    select
        *,
        if(trace_id is null, place, null) as alone,
        if(is_exception, (class, message), min_by((class, message), place) filter (is_exception) over of_trace) as fault
    from ordered
    window of_trace as (partition by trace_id)
),
failures as (
    select
        trace_id,
        arg_min((kind, class, message, time_ns, service_name, service_version), (not is_exception, place)) as nearest,
        coalesce(min(sample_weight) filter (sample_weight > 0), 0) as weight
    from assigned
    group by trace_id, alone, if(trace_id is null, null, fault)
)
select
    coalesce(arg_min(nearest[1], nearest[4]), 'error') as type,
    stored.message_template(nearest[3]) as template,
    sum(weight) as count,
    count(*) as seen,
    list_sort(list(distinct nearest[5])) as services,
    list_sort(list(distinct nearest[6])) as versions,
    make_timestamp_ns(min(nearest[4])) as first_seen,
    make_timestamp_ns(max(nearest[4])) as last_seen,
    arg_max(nearest[3], nearest[4]) as last_message,
    arg_max(trace_id, nearest[4]) as last_trace_id
from failures
group by nearest[2], stored.message_template(nearest[3])
order by count desc, seen desc, type, template
