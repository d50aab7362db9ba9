-- Rate, errors and durations of each service's routes at equal steps, from the spans that serve someone; a series a row.
with steps as (
    select
        service_name, route, (epoch_ns(time) - $from_ns) // $step_ns as step,
        rate, error_share, p50_ms, p95_ms, p99_ms
    from rate_errors_duration(last := $last, until := $until, step := $step, service := $service)
),
readings as (
    unpivot steps on rate, error_share, p50_ms, p95_ms, p99_ms into name reading value number
)
select
    service_name, null::varchar as service_instance_id, 'requests' as name,
    case reading when 'rate' then '1/s' when 'error_share' then '1' else 'ms' end as unit,
    replace(reading, '_ms', '') as reading, to_json({'http.route': route})::varchar as attributes,
    list(step::bigint order by step) as steps,
    list(number order by step) as numbers
from readings
where isfinite(number) and step >= 0
group by all
having count(*) >= $least
order by service_name, attributes, reading
