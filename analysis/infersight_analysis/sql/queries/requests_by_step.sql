-- How many requests each service served in each step of time.
select service_name, (start_time_ns - $from_ns) // $step_ns as step, sum(sample_weight) as requests
from spans
where kind in ('SERVER', 'CONSUMER') and start_time_ns >= $from_ns and start_time_ns < $until_ns
    and ($service is null or service_name = $service)
group by service_name, step
