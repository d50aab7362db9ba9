-- How often each of some log templates occurred in a service before a request, and how much it logged at all.
with hour as (
    select coalesce(attributes['infersight.log.template']::varchar, stored.message_template(body::varchar)) as template, trace_id
    from logs
    where time_ns >= $from_ns and time_ns < $until_ns
        and service_name in (select unnest($services::varchar[]))
)
select template, count(*) filter (trace_id is distinct from $trace_id), sum(count(*)) over ()
from hour
group by template
