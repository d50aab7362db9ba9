-- Of some operations, how many times the process had begun them before a moment, and what the later ones took.
select
    name,
    count(*) filter (start_time_ns < $start_ns) as earlier,
    count(*) filter (start_time_ns > $end_ns) as later,
    (median(duration_ns) filter (start_time_ns > $end_ns))::bigint as later_median_ns
from spans
where start_time_ns between $from_ns and $until_ns
    and service_instance_id = $instance and name in (select unnest($names::varchar[])) and duration_ns is not null
group by name
