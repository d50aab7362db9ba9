-- How often each log template occurred in some services before a request, and how many records that counts. At most
-- 20 000 are looked at: a file's first ones, in the order of their random trace ids.
with hour as (
    select attributes['infersight.log.template']::varchar as known, body::varchar as body, trace_id
    from logs
    where time_ns >= $from_ns and time_ns < $until_ns
        and service_name in (select unnest($services::varchar[]))
    limit 20000
)
select
    coalesce(known, stored.message_template(body)) as template,
    count(*) filter (trace_id is distinct from $trace_id),
    sum(count(*)) over ()
from hour
group by template
