-- How many requests each version of each service served, before a time and from it on.
select
    service_name, service_version, start_time_ns >= $since_ns as is_since,
    sum(sample_weight) as requests, min(start_time_ns) as first_ns
from spans
where kind in ('SERVER', 'CONSUMER') and start_time_ns >= $from_ns and start_time_ns < $until_ns
group by all
