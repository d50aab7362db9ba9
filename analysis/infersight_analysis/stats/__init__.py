"""Statistics on plain numbers; no database, no telemetry."""
