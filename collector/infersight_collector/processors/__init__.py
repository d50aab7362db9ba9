"""Processors: they change batches between the log and the exporters. The default pipeline has none."""
