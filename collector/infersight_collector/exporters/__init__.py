"""Exporters: they deliver batches, exactly once for each segment of the log."""
