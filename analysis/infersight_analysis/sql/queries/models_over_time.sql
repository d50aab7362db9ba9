-- Which versions of which models ran in each service, in each step of time.
select
    service_name, attributes['infersight.model.name']::varchar as model,
    attributes['infersight.model.version']::varchar as version,
    min(start_time_ns) as first_ns, max(start_time_ns) as last_ns, count(*) as records
from spans
where start_time_ns >= $from_ns and start_time_ns < $until_ns
    and attributes['infersight.model.name'] is not null
    and ($service is null or service_name = $service)
group by service_name, model, version, start_time_ns // $step_ns
order by first_ns
