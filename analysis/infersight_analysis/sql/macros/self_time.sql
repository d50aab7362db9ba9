-- A span's duration without the union of its children, each clipped to the span: overlapping children count once. No
-- recursion: what is below a child lies in the child. A child whose clock contradicts its caller's is moved as
-- `waterfall` moves it.
with parents as materialized (
    select
        trace_id, span_id, parent_span_id, service_name, service_instance_id, name, kind, status_code,
        start_time, start_time_ns, end_time_ns, sample_weight,
        greatest(duration_ns, 0) as duration_ns,
        row_number() over () as place
    from main.spans
    where duration_ns is not null and end_time_ns < 9223372036854775807
        and (trace is null or trace_id = lower(trace))
        and (service is null or service_name = service)
        and (operation is null or name = operation)
        and (trace is not null or (
            start_time_ns >= stored.window_start_ns('spans', last, until)
            and start_time_ns < stored.window_end_ns('spans', until)))
),
children as (
    select trace_id, span_id, parent_span_id, service_name, service_instance_id, kind, start_time_ns, end_time_ns
    from main.spans
    where parent_span_id is not null and end_time_ns > start_time_ns and end_time_ns < 9223372036854775807
        and (trace is null or trace_id = lower(trace))
        -- An hour of margin: a clock may be wrong, and a span may be long.
        and (trace is not null or (
            start_time_ns >= stored.window_start_ns('spans', last, until) - 3600000000000
            and start_time_ns < stored.window_end_ns('spans', until) + 3600000000000))
),
moved as (
    select
        parent.place, parent.start_time_ns as low_ns, parent.end_time_ns as high_ns,
        child.start_time_ns as start_ns, child.end_time_ns - child.start_time_ns as length_ns,
        parent.kind = 'CLIENT' and child.kind = 'SERVER'
            and (parent.service_name, parent.service_instance_id)
                is distinct from (child.service_name, child.service_instance_id)
            and (child.start_time_ns < parent.start_time_ns
                or (child.start_time_ns >= parent.end_time_ns and parent.status_code <> 'ERROR')) as is_skewed,
        parent.start_time_ns + greatest(
            0, (parent.duration_ns - (child.end_time_ns - child.start_time_ns)) // 2) as middle_ns
    from parents as parent
    join children as child
        on child.trace_id = parent.trace_id and child.parent_span_id = parent.span_id
        and child.span_id <> parent.span_id
),
clipped as (
    select
        place,
        greatest(if(is_skewed, middle_ns, start_ns), low_ns) as start_ns,
        least(if(is_skewed, middle_ns, start_ns) + length_ns, high_ns) as end_ns
    from moved
),
covered as (
    select place, count(*) as child_count, sum(greatest(0, end_ns - greatest(start_ns, reached_ns))) as covered_ns
    from (
        select
            *,
            -- How far the children before it reach.
            max(end_ns) over (
                partition by place order by start_ns, end_ns
                rows between unbounded preceding and 1 preceding) as reached_ns
        from clipped
        where start_ns < end_ns
    )
    group by place
)
select
    trace_id, span_id, parent_span_id, service_name, name, kind,
    start_time,
    duration_ns / 1e6 as duration_ms,
    (duration_ns - coalesce(covered_ns, 0)) / 1e6 as self_ms,
    coalesce(child_count, 0) as child_count,
    sample_weight
from parents left join covered using (place)
order by start_time_ns, duration_ns desc, span_id
