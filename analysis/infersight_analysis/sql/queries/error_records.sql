-- Every record that says that something failed: exceptions on spans, exceptions and errors in logs, failed spans.
with exceptions_of_spans as (
    select
        'span event' as source, trace_id, span_id, time_ns, service_name, service_version,
        attributes['exception.type']::varchar as type,
        coalesce(attributes['exception.message']::varchar, '') as message,
        attributes['exception.stacktrace']::varchar as stacktrace,
        sample_weight, null as user, null as session, null as route
    from span_events
    where name = 'exception' and time_ns >= $from_ns and time_ns < $until_ns
),
errors_of_logs as (
    select
        'log' as source, trace_id, span_id, time_ns, service_name, service_version,
        attributes['exception.type']::varchar as type,
        coalesce(attributes['exception.message']::varchar, body, '') as message,
        coalesce(
            attributes['exception.stacktrace']::varchar,
            -- Many loggers know no better place for it.
            if(contains(body, e'\n') and regexp_matches(body, '(?m)^\s*(?:File "|at |\t/?\S+\.go:\d)'), body, null)
        ) as stacktrace,
        sample_weight,
        coalesce(attributes['user.id']::varchar, attributes['enduser.id']::varchar) as user,
        attributes['session.id']::varchar as session,
        attributes['http.route']::varchar as route
    from logs
    where time_ns >= $from_ns and time_ns < $until_ns
        and (severity_number >= 17 or attributes['exception.type'] is not null)
),
failed_spans as (
    select
        'span status' as source, trace_id, span_id, coalesce(end_time_ns, start_time_ns) as time_ns,
        service_name, service_version,
        attributes['error.type']::varchar as type,
        coalesce(status_message, name || ' failed', '') as message,
        null as stacktrace,
        sample_weight, null as user, null as session, null as route
    from spans
    where status_code = 'ERROR' and start_time_ns >= $from_ns and start_time_ns < $until_ns
)
select * from (
    from exceptions_of_spans
    union all from errors_of_logs
    union all from failed_spans
)
where $service is null or service_name = $service
order by time_ns, source, span_id
