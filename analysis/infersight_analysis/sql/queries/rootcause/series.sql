-- The readings of every metric series of two times, see `metric_reading`; of a histogram or summary also its rate, `count`.
with points as (
    select
        coalesce(service_name, '') as service, {instance} as instance, name, coalesce(unit, '') as unit,
        coalesce(to_json(attributes)::varchar, '{{}}') as labels, time_ns,
        stored.reading_kind(type, is_monotonic) as kind,
        coalesce(temporality = 'DELTA', false) as is_delta,
        struct_pack(time_ns, start_time_ns, value, sum, count) as point,
        lag(point) over (partition by service_name, {instance}, name, unit, type, labels order by time_ns) as earlier
    from metrics
    -- With the time around the incident, so that what follows it is a difference to what came right before.
    where (time_ns >= least($from_ns, $guard_from_ns) and time_ns < greatest($until_ns, $guard_until_ns))
        or (time_ns >= $baseline_from_ns and time_ns < $baseline_until_ns)
),
-- Not by a union, which would find the point before each one twice.
kinds as (
    select * exclude (kind), unnest(if(kind = 'mean', ['mean', 'count'], [kind])) as reading from points
),
readings as (
    select
        service, instance, name, unit, labels, reading, time_ns,
        stored.metric_reading(reading, is_delta, point, earlier) as number
    from kinds
)
select distinct service, instance, name, unit, labels, reading, time_ns, number
from readings
where number is not null and isfinite(number)
    and ((time_ns >= $from_ns and time_ns < $until_ns)
        or (time_ns >= $baseline_from_ns and time_ns < $baseline_until_ns
            and (time_ns < $guard_from_ns or time_ns >= $guard_until_ns)))
