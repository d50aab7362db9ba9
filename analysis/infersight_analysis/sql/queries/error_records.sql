-- Every record that says that something failed: exceptions on spans, exceptions and errors in logs, failed spans.
with exceptions_of_spans as (
    select
        'span event' as source, trace_id, span_id, time_ns, service_name, service_version,
        attributes['exception.type']::varchar as type,
        coalesce(attributes['exception.message']::varchar, '') as message,
        attributes['exception.stacktrace']::varchar as stacktrace
    from span_events
    where name = 'exception' and time_ns >= $from_ns and time_ns < $until_ns
),
errors_of_logs as (
    select
        'log' as source, trace_id, span_id, time_ns, service_name, service_version,
        attributes['exception.type']::varchar as type,
        coalesce(attributes['exception.message']::varchar, body, '') as message,
        attributes['exception.stacktrace']::varchar as stacktrace
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
        null as stacktrace
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
