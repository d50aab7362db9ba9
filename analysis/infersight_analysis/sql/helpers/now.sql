-- As the columns of times are, so that `start_time > now() - interval 1 hour` compares; DuckDB's own now() has a time
-- zone and is no match for TIMESTAMP_NS. It is the same moment: UTC.
make_timestamp_ns(epoch_ns(system.main.now()))
