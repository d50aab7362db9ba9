"""Bursts of errors: when a service failed more than it usually does, and which of these belong together."""
