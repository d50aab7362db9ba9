-- How many requests the process had begun before this one, and what the later ones took.
select
    count(*) filter (start_time_ns < $start_ns) as earlier,
    count(*) filter (start_time_ns > $start_ns) as later,
    (median(duration_ns) filter (start_time_ns > $start_ns))::bigint as later_median_ns
from spans
where service_instance_id = $instance and name = $name and kind = $kind and duration_ns is not null
