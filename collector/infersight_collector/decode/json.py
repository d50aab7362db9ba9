"""OTLP/JSON to OTLP protobuf."""
