select
    service_name, service_version,
    make_timestamp_ns(nullif(min(start_time_ns), 9223372036854775807)) as first_seen,
    make_timestamp_ns(nullif(max(start_time_ns), 9223372036854775807)) as last_seen,
    count(*) as spans
from stored.spans
group by service_name, service_version
