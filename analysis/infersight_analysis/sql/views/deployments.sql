select
    service_name, service_version,
    make_timestamp_ns(min(start_time_ns)) as first_seen,
    make_timestamp_ns(max(start_time_ns)) as last_seen,
    count(*) as spans
from stored.spans
group by service_name, service_version
