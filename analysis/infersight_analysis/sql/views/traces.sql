select
    trace_id,
    make_timestamp_ns(min(start_time_ns)) as start_time,
    -- Not the sum of the roots: they may overlap, or leave a gap.
    max(coalesce(end_time_ns, start_time_ns)) - min(start_time_ns) as duration_ns,
    -- A span without a parent comes first; where the root was lost, the first span stands for it.
    arg_min(service_name, (parent_span_id is not null, start_time_ns)) as root_service,
    arg_min(name, (parent_span_id is not null, start_time_ns)) as root_name,
    count(*) as span_count,
    count(*) filter (status_code = 'ERROR') as error_count,
    list_sort(list(distinct service_name)) as services
from stored.spans
group by trace_id
