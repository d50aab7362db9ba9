-- Traces of a window to look into: measurements kept with a metric, the largest first, then failed and slow traces.
select * from (
    (
        select trace_id, 'exemplar' as why, time_ns, coalesce(value, value_int) as number, 0 as rank
        from exemplars
        where metric_name = $metric and trace_id is not null and time_ns >= $start_ns and time_ns < $until_ns
        order by number desc, trace_id
        limit 3
    )
    union all
    (
        select trace_id, 'failed', start_time_ns, null, 1
        from traces
        where error_count > 0 and start_time_ns >= $start_ns and start_time_ns < $until_ns
        order by abs(start_time_ns - $at_ns), trace_id
        limit 3
    )
    union all
    (
        select trace_id, 'slowest', start_time_ns, duration_ns, 2
        from traces
        where start_time_ns >= $start_ns and start_time_ns < $until_ns
        order by duration_ns desc, trace_id
        limit 3
    )
)
order by rank, number desc, time_ns
