-- A row for each trace and variant that it got, in the order of time; of traces with more than one the checks tell.
-- The request of a trace is the first span that may be one.
with assigned as ({assigned}),
variants as (
    select trace_id, variant, min(time_ns) as assigned_ns, arg_min(context_id, time_ns) as context_id
    from assigned
    where variant is not null
    group by trace_id, variant
),
requests as (
    select trace_id, start_time_ns, duration_ns, status_code, sample_weight{columns}
    from spans
    where {is_request}
    qualify row_number() over (partition by trace_id order by start_time_ns, span_id) = 1
)
select
    row_number() over (order by coalesce(start_time_ns, assigned_ns), trace_id, variant) - 1 as row,
    variants.*, requests.* exclude (trace_id),
    coalesce(start_time_ns, assigned_ns) as time_ns,
    coalesce(sample_weight, 1)::double as weight
from variants {join} requests using (trace_id)
where {within}
