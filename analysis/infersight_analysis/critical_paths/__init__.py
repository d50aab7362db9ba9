"""Where the time of many requests went, by call path, and what it would be if something were faster."""
