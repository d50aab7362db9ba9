-- The requests that one version of a service served: spans that serve someone or begin a trace. A batch has a trace of
-- its own and serves the requests that it links to: it is none itself. What weighs 0 stands for no request.
-- A request succeeded where it neither failed nor was refused. Others failed with it where another service failed
-- someone in the same trace: one that called this version, or one that it called.
with failed_others as (
    select distinct trace_id
    from spans
    where status_code = 'ERROR' and (kind in ('SERVER', 'CONSUMER') or parent_span_id is null)
        and service_name is distinct from $service
        and start_time_ns >= $from_ns - $around_ns and start_time_ns < $until_ns + $around_ns
)
select
    start_time_ns,
    -- A clock that stepped back makes a duration negative.
    greatest(duration_ns, 0)::double as duration_ns,
    coalesce(attributes['http.route']::varchar, name, '') as route,
    coalesce(status_code = 'ERROR', false)::utinyint as failed,
    (
        status_code is distinct from 'ERROR'
        and coalesce(try_cast(attributes['http.response.status_code'] as bigint), 200) < 400
        and coalesce(try_cast(attributes['rpc.grpc.status_code'] as bigint), 0) = 0
    )::utinyint as succeeded,
    coalesce(trace_id in (from failed_others), false)::utinyint as others_failed,
    sample_weight::double as weight
from spans
where service_name = $service and service_version = $version
    and (kind in ('SERVER', 'CONSUMER') or parent_span_id is null)
    and attributes['infersight.operation']::varchar is distinct from 'batch'
    and duration_ns is not null and sample_weight > 0
    and start_time_ns >= $from_ns and start_time_ns < $until_ns
