-- When the last request of a service began since a time, and which part of those in the later half of that time a version
-- served; null where there was none.
with served as (
    select start_time_ns, service_version, sample_weight
    from spans
    where service_name = $service and start_time_ns >= $from_ns
        and (kind in ('SERVER', 'CONSUMER') or parent_span_id is null)
        and attributes['infersight.operation']::varchar is distinct from 'batch'
)
select
    max(start_time_ns),
    (sum(if(service_version is not distinct from $version, sample_weight, 0)) / nullif(sum(sample_weight), 0))::double
from served
where start_time_ns >= (select $from_ns + (max(start_time_ns) - $from_ns) // 2 from served)
