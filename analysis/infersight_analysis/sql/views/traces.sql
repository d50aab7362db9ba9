-- A trace has a row in stored.traces for each write and hour that its spans came with, until these are merged.
with merged as (
    select
        trace_id,
        min(start_time_ns) as start_time_ns,
        max(coalesce(end_time_ns, start_time_ns + duration_ns)) as end_time_ns,
        -- A span without a parent comes first; where the root was lost, the first span stands for it. The least STRUCT
        -- is that by its fields in their order, nulls last: the same one whatever order the rows come in.
        min({
            'missing': root_missing, 'start_time_ns': start_time_ns + root_delay_ns,
            'service': root_service, 'name': root_name, 'status_code': status_code, 'sample_weight': sample_weight
        }) as root,
        sum(span_count)::bigint as span_count,
        sum(error_count)::bigint as error_count,
        -- Nearly all traces have one row, and joining lists costs more than all the rest.
        case
            when count(*) = 1 then any_value(services)
            else list_sort(list_distinct(flatten(list(services))))
        end as services
    from stored.traces
    group by trace_id
)

select
    trace_id,
    stored.timestamp_of(start_time_ns) as start_time,
    -- Not the sum of the roots: they may overlap, or leave a gap.
    end_time_ns - start_time_ns as duration_ns,
    root.service as root_service,
    root.name as root_name,
    span_count, error_count, services,
    stored.timestamp_of(end_time_ns) as end_time,
    start_time_ns, end_time_ns,
    not root.missing as has_root,
    root.status_code as status_code,
    root.sample_weight as sample_weight
from merged
