-- Of some services within a burst: how many spans with a version, an instance, a host, or of a call to a dependency,
-- failed and did not. Requests tell of the service itself, calls of what it depends on.
with considered as (
    select
        service_name, kind, status_code = 'ERROR' as has_failed, sample_weight as weight,
        map {
            'service.version': service_version,
            'service.instance.id': service_instance_id,
            'host.name': resource_attributes['host.name']::varchar
        } as of_process,
        coalesce(
            attributes['server.address']::varchar, attributes['peer.service']::varchar,
            attributes['db.system.name']::varchar, attributes['db.system']::varchar,
            attributes['messaging.system']::varchar) as dependency
    from spans
    where start_time_ns >= $from_ns and start_time_ns < $until_ns
        and service_name in (select unnest($services::varchar[]))
        and kind in ('SERVER', 'CONSUMER', 'CLIENT', 'PRODUCER')
),
traits as (
    select service_name, unnest(map_keys(of_process)) as trait, of_process, has_failed
    from considered
    where kind in ('SERVER', 'CONSUMER')
)
select trait, of_process[trait] as value, service_name, count(*) filter (has_failed), count(*) filter (not has_failed)
from traits
where of_process[trait] is not null
group by all
union all
select 'dependency', dependency, service_name, count(*) filter (has_failed), count(*) filter (not has_failed)
from considered
where kind in ('CLIENT', 'PRODUCER') and dependency is not null
group by all
order by all
