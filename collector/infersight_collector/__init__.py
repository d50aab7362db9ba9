"""The collector: takes OTLP from anyone, keeps it durably, as Arrow record batches from receiver to store."""
