-- The view's rows, of those hours that the trace has summaries of: of others no file is opened.
{spans}
where trace_id = lower(trace)
    and (date, hour) in (select date, hour from stored.summaries where trace_id = lower(trace))
order by start_time_ns, end_time_ns desc, span_id
