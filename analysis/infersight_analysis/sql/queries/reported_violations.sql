-- What services found wrong with their inputs, as `infersight.validate_input` reports it: one violation a text, of the
-- form "check: expected this, found that".
with reported as (
    select
        service_name, trace_id, time_ns,
        attributes['infersight.input.name']::varchar as input,
        unnest(attributes['infersight.input.violations']::varchar[]) as violation
    from logs
    where event_name = 'infersight.input.invalid' and {chosen}
),
parts as (
    select *, regexp_extract(violation, '^(\w+): expected (.*), found (.*)$', ['check', 'expected', 'found'], 's') as part
    from reported
)
select
    service_name, input, part['check'] as "check", part['expected'] as expected,
    count(*) as count,
    arg_max(part['found'], time_ns) as found,
    coalesce(list_distinct(arg_max(trace_id, time_ns, {examples}) filter (trace_id <> '')), []) as traces
from parts
group by all
order by count desc, service_name, input, "check", expected
