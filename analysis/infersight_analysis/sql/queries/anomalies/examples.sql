-- Requests of a route that began in a step: the slowest, or those that failed.
select trace_id
from spans
where kind in ('SERVER', 'CONSUMER')
    and service_name is not distinct from $service
    and coalesce(attributes['http.route']::varchar, name) = $route
    and start_time_ns >= $from_ns and start_time_ns < $until_ns
    and (not $failed or status_code = 'ERROR')
order by duration_ns desc nulls last, trace_id
limit 3
