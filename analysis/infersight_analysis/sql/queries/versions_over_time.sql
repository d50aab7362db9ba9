-- Which versions of which services sent something in each step of time, from each signal.
with seen as (
    select
        'spans' as signal, service_name, service_version, service_instance_id as instance,
        stored.environment_of(resource_attributes) as environment, stored.deployment_of(resource_attributes) as deployment,
        start_time_ns as time_ns,
        if(kind in ('SERVER', 'CONSUMER'), sample_weight, 0) as requests,
        if(kind in ('SERVER', 'CONSUMER') and status_code = 'ERROR', sample_weight, 0) as failed
    from spans
    where start_time_ns >= $from_ns and start_time_ns < $until_ns
    union all
    select
        'logs', service_name, service_version, service_instance_id,
        stored.environment_of(resource_attributes), stored.deployment_of(resource_attributes), time_ns, 0, 0
    from logs
    where time_ns >= $from_ns and time_ns < $until_ns
    union all
    select
        'metrics', service_name, service_version, service_instance_id,
        stored.environment_of(resource_attributes), stored.deployment_of(resource_attributes), time_ns, 0, 0
    from metrics
    where time_ns >= $from_ns and time_ns < $until_ns
)
select
    signal, service_name, service_version, environment, deployment,
    min(time_ns) as first_ns, max(time_ns) as last_ns,
    count(*) as records, sum(requests) as requests, sum(failed) as failed,
    list(distinct instance) filter (instance is not null) as instances
from seen
where $service is null or service_name = $service
group by signal, service_name, service_version, environment, deployment, time_ns // $step_ns
order by first_ns
