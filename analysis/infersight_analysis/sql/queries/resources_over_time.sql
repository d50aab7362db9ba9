-- Which values of which resource attributes each service's processes had, and when those were first and last seen.
with resources as (
    select service_name, start_time_ns as time_ns, resource_attributes
    from spans
    where start_time_ns >= $from_ns and start_time_ns < $until_ns
        and ($service is null or service_name = $service)
),
seen as (
    select service_name, {resource} as resource, min(time_ns) as first_ns, max(time_ns) as last_ns
    from resources
    group by service_name, resource
)
select service_name, key, resource[key] as value, min(first_ns) as first_ns, max(last_ns) as last_ns
from (select *, unnest(map_keys(resource)) as key from seen)
where resource[key] is not null
group by service_name, key, value
order by first_ns, service_name, key
