-- One histogram, explicit or exponential, of each service and set of attributes at equal steps, its processes together:
-- the 99th percentile, the mean, and measurements a second; a series a row.
with steps as (
    select
        service_name, part, unit, (epoch_ns(time) - $from_ns) // $step_ns as step,
        value, mean, count / ($step_ns / 1e9) as rate
    from histogram_quantile($metric, 0.99, last := $last, until := $until, step := $step, service := $service,
        split := to_json(attributes))
),
readings as (
    unpivot steps on value, mean, rate into name reading value number
)
select
    service_name, null::varchar as service_instance_id, $metric as name, if(reading = 'rate', '1/s', unit) as unit,
    if(reading = 'value', 'p99', reading) as reading, coalesce(part, '{}') as attributes,
    list(step::bigint order by step) as steps,
    list(number order by step) as numbers
from readings
where isfinite(number) and step >= 0
group by all
having count(*) >= $least
order by service_name, attributes, reading
