"""Instrumentation of what is not ours; each module imports its library when it is used."""

import os


def use_stable_conventions() -> None:
    """Let OpenTelemetry's instrumentations use the stable names of HTTP and databases.

    Called before the first of them begins, for that one fixes the names of all. OTEL_SEMCONV_STABILITY_OPT_IN wins.
    """
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")
