-- The view's rows, of those hours that have such rows: to look for an id alone opens files faster than for all columns.
{logs}
where trace_id = lower(trace)
    and (date, hour) in (select date, hour from stored.logs where trace_id = lower(trace))
order by time_ns
