select
    service_name, service_version,
    stored.timestamp_of(min(start_time_ns)) as first_seen,
    stored.timestamp_of(max(start_time_ns)) as last_seen,
    count(*) as spans
from stored.spans
group by service_name, service_version
