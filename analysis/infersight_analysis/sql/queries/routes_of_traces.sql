select trace_id, coalesce(attributes['http.route']::varchar, name) as route
from spans
where trace_id in (select unnest($trace_ids::varchar[])) and kind in ('SERVER', 'CONSUMER')
qualify row_number() over (partition by trace_id order by start_time_ns, span_id) = 1
