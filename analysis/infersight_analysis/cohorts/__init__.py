"""Two cohorts of requests, and everything that may distinguish them, on the full population and as arrays."""
