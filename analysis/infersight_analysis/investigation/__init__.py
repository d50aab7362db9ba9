"""Why one request was slow: its time against the time of others like it, what was going on around it, and why."""
