-- A bucket of explicit bounds is (lower, upper], one of an exponential histogram (base^i, base^(i+1)], where base is
-- 2^(2^-scale). Points of one metric may differ: explicit bounds of all of them count, and of scales the coarsest, to
-- which histograms are merged.
with points as (
    select type, bounds, scale, zero_threshold
    from main.metrics
    where name = metric
        and (service is null or service_name = service)
        and time_ns >= stored.window_start_ns('metrics', last, until)
        and time_ns < stored.window_end_ns('metrics', until)
),
exponential as (
    select
        type,
        pow(2, min(scale)) as steps,
        max(coalesce(zero_threshold, 0)) as zero,
        ceil(log2(nullif(abs(bucket::double), 0)) * pow(2, min(scale))) - 1 as place
    from points
    where type = 'exponential_histogram'
    group by type
),
edges as (
    select
        type,
        coalesce(max(bound) filter (bound < bucket::double), '-infinity'::double) as lower,
        coalesce(min(bound) filter (bound >= bucket::double), 'infinity'::double) as upper
    from (select type, unnest(bounds) as bound from (select distinct type, bounds from points))
    where type = 'histogram'
    group by type
    union all
    select
        type,
        case
            when abs(bucket::double) <= zero then -zero
            when bucket::double < 0 then -pow(2, (place + 1) / steps)
            else pow(2, place / steps)
        end,
        case
            when abs(bucket::double) <= zero then zero
            when bucket::double < 0 then -pow(2, place / steps)
            else pow(2, (place + 1) / steps)
        end
    from exponential
)
select
    exemplars.time,
    coalesce(exemplars.value, exemplars.value_int) as value,
    exemplars.trace_id, exemplars.span_id,
    exemplars.service_name, exemplars.service_version, exemplars.service_instance_id,
    edges.lower as bucket_lower, edges.upper as bucket_upper,
    exemplars.attributes, exemplars.point_attributes,
    exemplars.time_ns
from main.exemplars as exemplars
join edges on edges.type = exemplars.metric_type
where exemplars.metric_name = metric
    and (service is null or exemplars.service_name = service)
    and exemplars.time_ns >= stored.window_start_ns('exemplars', last, until)
    and exemplars.time_ns < stored.window_end_ns('exemplars', until)
    and coalesce(exemplars.value, exemplars.value_int) <= edges.upper
    -- Negative buckets and the one around zero have their lower bound in them.
    and (coalesce(exemplars.value, exemplars.value_int) > edges.lower
        or (edges.type = 'exponential_histogram' and edges.lower <= 0
            and coalesce(exemplars.value, exemplars.value_int) = edges.lower))
order by exemplars.time_ns desc, value desc
