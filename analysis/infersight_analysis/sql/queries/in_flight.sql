-- Requests of one process that were open while one ran, however long they took.
select count(*), count(distinct name), max(duration_ns)
from spans
where service_instance_id = $instance and kind in ('SERVER', 'CONSUMER')
    and start_time_ns between $start_ns - 60000000000 and $end_ns
    and start_time_ns + duration_ns > $start_ns
    and trace_id <> $trace_id
