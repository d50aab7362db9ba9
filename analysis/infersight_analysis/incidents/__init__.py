"""Incidents: what happened, what was done about it and what it showed, kept in the store beside the telemetry."""
