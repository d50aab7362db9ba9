-- A time of the store as TIMESTAMP_NS, null where it is 2^63-1: later times end up there, and it is none that can be said.
-- Addition and casts, unlike `nullif`, keep their order, by which DuckDB carries a filter over to the files' ranges.
make_timestamp_ns(try_cast(try_cast(time_ns as ubigint) + 1 as bigint) - 1)
