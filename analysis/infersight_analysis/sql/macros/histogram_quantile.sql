-- Increments of each series first, then merged over the series, then interpolated, as in PromQL
-- `histogram_quantile(q, sum by (...) (increase(metric)))`, without its extrapolation to the edges of the window.
with points as materialized (
    select
        row_number() over () as place,
        time_ns, start_time_ns, service_name, type, temporality, unit, count, sum,
        bounds, bucket_counts,
        scale, coalesce(zero_count, 0) as zero_count, coalesce(zero_threshold, 0) as zero_threshold,
        coalesce(positive_offset, 0) as positive_offset, coalesce(positive_bucket_counts, []) as positive_counts,
        coalesce(negative_offset, 0) as negative_offset, coalesce(negative_bucket_counts, []) as negative_counts,
        split::varchar as part,
        if(step is null, greatest(stored.window_start_ns('metrics', last, until), stored.first_ns('metrics')),
            time_ns - time_ns % epoch_ns(cast(step as interval))) as from_ns,
        -- What tells one series from another, as 64 bits.
        hash((service_name, service_version, service_instance_id, scope_name, scope_version, type, unit, temporality,
            attributes, attributes_other::varchar, resource_attributes, resource_attributes_other::varchar)) as series
    from main.metrics
    where name = metric
        and type in ('histogram', 'exponential_histogram')
        and temporality in ('DELTA', 'CUMULATIVE')
        and coalesce(flags, 0) & 1 = 0
        and (service is null or service_name = service)
        -- A cumulative series needs the point before: it is looked for as far back as Prometheus looks.
        and time_ns >= stored.window_start_ns('metrics', last, until) - 300000000000
        and time_ns < stored.window_end_ns('metrics', until)
),
-- Where no start time tells that a process began anew, a bucket that fell does.
fallen as (
    select
        place,
        case
            when type = 'histogram' then
                bounds is distinct from lag(bounds) over earlier
                or list_min(list_transform(
                    list_zip(bucket_counts, lag(bucket_counts) over earlier), lambda pair: pair[1] - pair[2])) < 0
            else
                zero_count < lag(zero_count) over earlier
                or stored.bucket_falls(
                    positive_counts, positive_offset,
                    lag(positive_counts) over earlier, lag(positive_offset) over earlier,
                    least(greatest(lag(scale) over earlier - scale, 0), 60))
                or stored.bucket_falls(
                    negative_counts, negative_offset,
                    lag(negative_counts) over earlier, lag(negative_offset) over earlier,
                    least(greatest(lag(scale) over earlier - scale, 0), 60))
            end
        as has_fallen
    from points
    where start_time_ns is null and temporality = 'CUMULATIVE'
    window earlier as (partition by series order by time_ns)
),
-- A point goes on where the one before ended, unless the process began anew in between: then it counts from 0.
compared as (
    select
        place, series, time_ns, start_time_ns, from_ns,
        time_ns >= stored.window_start_ns('metrics', last, until) as is_in_window,
        temporality = 'CUMULATIVE'
            and lag(place) over earlier is not null
            and start_time_ns is not distinct from lag(start_time_ns) over earlier
            and coalesce(count >= lag(count) over earlier, true)
            and coalesce(scale <= lag(scale) over earlier, true)
            and not coalesce(has_fallen, false)
            as goes_on,
        -- The first point known of a series counts what came before the window as well, unless it began within it.
        temporality = 'CUMULATIVE'
            and lag(place) over earlier is null
            and last is not null
            and coalesce(start_time_ns < stored.window_start_ns('metrics', last, until), true) as is_baseline
    from points left join fallen using (place)
    window earlier as (partition by series order by time_ns, start_time_ns)
),
-- An increment is a point less the one before, and merging is adding: so a point counts +1 in its own step and -1 in
-- that of the point that goes on from it. Most cancel, and their buckets are never looked at.
followed as (
    select
        place, from_ns,
        (is_in_window and not is_baseline)::int as own,
        coalesce(lead(goes_on and is_in_window) over later, false)::int as used,
        lead(from_ns) over later as next_from_ns
    from compared
    window later as (partition by series order by time_ns, start_time_ns)
),
counted as (
    select place, from_ns, own - if(next_from_ns = from_ns, used, 0) as times from followed
    union all
    select place, next_from_ns, -used from followed where next_from_ns <> from_ns
),
increments as (
    select
        points.* exclude (from_ns), counted.from_ns, times,
        {'from_ns': counted.from_ns, 'service_name': service_name, 'part': part, 'type': type, 'unit': unit} as bin
    from counted join points using (place)
    where times <> 0
),
totals as (
    select
        bin, any_value(from_ns) as from_ns,
        sum(times * count) as count, sum(times * sum) as sum,
        min(scale) as scale, max(zero_threshold) as zero
    from increments
    group by bin
),
layouts as (
    select bin, bounds, count(*) over (partition by bin) as alike
    from increments
    where type = 'histogram' and len(bounds) > 0
    group by bin, bounds
    having sum(times * count) > 0
),
-- Bounds that only some series have are no bounds of the merged histogram.
merged_bounds as (
    select bin, bound
    from (select bin, unnest(list_append(bounds, 'infinity'::double)) as bound, alike from layouts)
    group by bin, bound, alike
    having count(*) = alike
),
-- Every bucket with its place in the order of values: (0, upper bound), or (sign, index) of exponential ones.
buckets as (
    select bin, [0, unnest(list_append(bounds, 'infinity'::double))] as place, times * unnest(bucket_counts) as counted
    from increments
    where type = 'histogram' and len(bounds) > 0
    union all
    select bin, [0, 0], times * zero_count from increments where type = 'exponential_histogram'
    union all
    select
        bin,
        [1, floor((positive_offset + unnest(range(len(positive_counts)))) / pow(2, increments.scale - totals.scale))],
        times * unnest(positive_counts)
    from increments join totals using (bin)
    union all
    select
        bin,
        [-1, -floor((negative_offset + unnest(range(len(negative_counts)))) / pow(2, increments.scale - totals.scale))],
        times * unnest(negative_counts)
    from increments join totals using (bin)
),
running as (
    select
        bin, place,
        sum(counted) over (partition by bin order by place rows unbounded preceding) as reached,
        sum(counted) over (partition by bin) as total,
        bool_or(place[1] > 0 and counted > 0) over (partition by bin) as has_positive,
        bool_or(place[1] < 0 and counted > 0) over (partition by bin) as has_negative
    from (select bin, place, greatest(sum(counted), 0)::double as counted from buckets group by bin, place)
),
merged as (
    select
        *,
        lag(place[2]) over (partition by bin order by place) as lower,
        lag(reached, 1, 0) over (partition by bin order by place) as passed,
        if(q between 0 and 1, q, error('histogram_quantile: q is from 0 to 1, as in 0.99'))::double * total as sought
    from running
    where bin.type = 'exponential_histogram' or exists (
        from merged_bounds where merged_bounds.bin = running.bin and merged_bounds.bound = running.place[2])
),
-- The bucket in which the quantile lies, and how much of it is below.
found as (
    select *, (sought - passed) / (reached - passed) as below
    from merged
    where reached >= sought and reached > passed
    qualify row_number() over (partition by bin order by place) = 1
)
select
    make_timestamp_ns(totals.from_ns) as time,
    bin.service_name as service_name, bin.part as part, bin.type as type, bin.unit as unit,
    totals.count::bigint as count,
    totals.sum / nullif(totals.count, 0) as mean,
    case
        when bin.type = 'histogram' then
            case
                -- Beyond the highest bound nothing is known; without any, nothing at all.
                when isinf(place[2]) then lower
                when lower is null and place[2] <= 0 then place[2]
                else coalesce(lower, 0) + (place[2] - coalesce(lower, 0)) * below
            end
        when place[1] > 0 then pow(2, (place[2] + below) / pow(2, totals.scale))
        when place[1] < 0 then -pow(2, (1 - place[2] - below) / pow(2, totals.scale))
        -- Around zero both signs are possible, unless all other buckets have one.
        else (has_positive or not has_negative)::int * zero * below
            - (has_negative or not has_positive)::int * zero * (1 - below)
    end as value
from totals left join found using (bin)
order by time, service_name, part, type, unit
