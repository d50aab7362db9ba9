-- A request is the first span of its trace that serves someone or has no parent, of those that the filters leave. A
-- batch has a trace of its own and serves the requests that it links to: it is none itself.
with requests as (
    select
        trace_id, span_id, service_name, name, start_time_ns, duration_ns, status_code,
        attributes['http.route']::varchar as route, service_version
    from spans
    where (kind in ('SERVER', 'CONSUMER') or parent_span_id is null)
        and duration_ns is not null
        and attributes['infersight.operation']::varchar is distinct from 'batch'
        and start_time_ns >= $from_ns and start_time_ns < $until_ns
        and ($service is null or service_name = $service)
        and ($route is null or attributes['http.route']::varchar = $route or name = $route)
        and ($model is null or trace_id in (
            select trace_id from spans where attributes['infersight.model.name']::varchar = $model))
    qualify row_number() over (partition by trace_id order by start_time_ns, duration_ns desc, span_id) = 1
),
threshold as (
    select
        count(*) as considered,
        case when $share > 0 then ceil(quantile_cont(duration_ns, $share)) else $over_ns end as least_ns
    from requests
)
-- The left join keeps one row with the counts where no request is that slow.
select requests.*, least_ns::bigint as least_ns, considered, count(trace_id) over () as found
from threshold left join requests on duration_ns >= least_ns
order by duration_ns desc, trace_id
limit $limit
