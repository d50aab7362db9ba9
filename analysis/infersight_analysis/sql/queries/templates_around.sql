-- How often each service logged what in a window and before it. The collector's own templates are taken where they are.
select
    service_name,
    coalesce(attributes['infersight.log.template']::varchar, stored.message_template(body::varchar)) as template,
    sum(sample_weight) filter (time_ns >= $start_ns) as now,
    sum(sample_weight) filter (time_ns < $start_ns) as before,
    max(severity_number) as severity,
    arg_max(severity_text, severity_number) as severity_text,
    min(time_ns) filter (time_ns >= $start_ns) as first_ns,
    arg_min(trace_id, time_ns) filter (time_ns >= $start_ns and trace_id is not null) as example
from logs
where time_ns >= $from_ns and time_ns < $until_ns and body is not null
group by service_name, template
