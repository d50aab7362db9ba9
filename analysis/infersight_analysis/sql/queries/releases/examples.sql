-- Requests of the candidate to look at: those that failed, or the slowest, of one route or of all.
select trace_id
from spans
where service_name = $service and service_version = $version
    and (kind in ('SERVER', 'CONSUMER') or parent_span_id is null)
    and attributes['infersight.operation']::varchar is distinct from 'batch'
    and duration_ns is not null and trace_id is not null
    and start_time_ns >= $from_ns and start_time_ns < $until_ns
    and ($route is null or coalesce(attributes['http.route']::varchar, name, '') = $route)
    and (not $failed or status_code = 'ERROR')
order by duration_ns desc, trace_id
limit $limit
