"""What happened around a moment at which a metric was unusual."""
