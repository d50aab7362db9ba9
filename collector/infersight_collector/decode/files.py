"""OTLP files."""
