"""Copies of what is in a store, for others: plain Parquet, OTLP, or one database file."""
