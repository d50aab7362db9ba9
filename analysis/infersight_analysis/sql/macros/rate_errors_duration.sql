-- Sums over weights estimate all requests, not only those that sampling left. Where every request weighs 1 a quantile
-- is DuckDB's own, which selects; weighted ones sort, so only the groups that need it are read again and sorted.
with requests as not materialized (
    select
        service_name,
        coalesce(attributes['http.route']::varchar, name) as route,
        if(step is null, first_ns, start_time_ns - start_time_ns % epoch_ns(cast(step as interval))) as from_ns,
        -- A clock that stepped back makes a duration negative.
        if(duration_ns < 0, 0, duration_ns) as duration_ns,
        status_code = 'ERROR' as has_failed,
        sample_weight as weight
    from stored.spans,
        (select greatest(stored.window_start_ns('spans', last, until), stored.first_ns('spans')) as first_ns)
    where kind in ('SERVER', 'CONSUMER')
        and (service is null or service_name = service)
        and start_time_ns >= stored.window_start_ns('spans', last, until)
        and start_time_ns < stored.window_end_ns('spans', until)
        and stored.may_lie_within(
            date, hour, stored.window_start_ns('spans', last, until), stored.window_end_ns('spans', until))
),
totals as materialized (
    select
        service_name, route, from_ns,
        count(*) as spans,
        sum(weight) as requests,
        coalesce(sum(weight) filter (has_failed), 0) as errors,
        quantile_cont(duration_ns, [0.5, 0.95, 0.99]) filter (weight > 0) as quantiles_ns,
        coalesce(bool_and(weight = 1) filter (weight > 0), true) as is_unweighted
    from requests
    group by service_name, route, from_ns
),
sorted as (
    select
        service_name, route, from_ns, duration_ns,
        sum(weight) over (
            partition by service_name, route, from_ns order by duration_ns rows unbounded preceding) as reached
    from requests
    where weight > 0 and duration_ns is not null
        and exists (
            from totals
            where not is_unweighted
                and totals.service_name is not distinct from requests.service_name
                and totals.route is not distinct from requests.route
                and totals.from_ns = requests.from_ns)
),
weighted as (
    select
        service_name, route, from_ns,
        [
            stored.weighted_quantile(duration_ns, reached, total, 0.5),
            stored.weighted_quantile(duration_ns, reached, total, 0.95),
            stored.weighted_quantile(duration_ns, reached, total, 0.99)
        ] as quantiles_ns
    from (select *, max(reached) over (partition by service_name, route, from_ns) as total from sorted)
    group by service_name, route, from_ns
)
select
    make_timestamp_ns(totals.from_ns) as time,
    totals.service_name, totals.route,
    spans, requests,
    -- The first and the last step lie only in part within the window.
    requests * 1e9 / (
        least(
            coalesce(totals.from_ns + epoch_ns(cast(step as interval)), stored.window_end_ns('spans', until)),
            stored.window_end_ns('spans', until))
        - greatest(totals.from_ns, stored.window_start_ns('spans', last, until), stored.first_ns('spans'))
    ) as rate,
    errors,
    errors / nullif(requests, 0) as error_share,
    coalesce(weighted.quantiles_ns, totals.quantiles_ns)[1] / 1e6 as p50_ms,
    coalesce(weighted.quantiles_ns, totals.quantiles_ns)[2] / 1e6 as p95_ms,
    coalesce(weighted.quantiles_ns, totals.quantiles_ns)[3] / 1e6 as p99_ms
from totals
left join weighted
    on weighted.service_name is not distinct from totals.service_name
    and weighted.route is not distinct from totals.route
    and weighted.from_ns = totals.from_ns
order by time, totals.service_name, totals.route
