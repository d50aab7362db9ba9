"""Instrumentation of what is not ours; each module imports its library when it is used."""
