"""Levels of the standard library's logging in the terms of OpenTelemetry's log data model."""

import logging
from typing import Final

from opentelemetry._logs import SeverityNumber

_SEVERITY_TEXT: Final = {"WARNING": "WARN", "CRITICAL": "FATAL"}
"""Python's level names where the log data model says it otherwise."""

OWN_TRANSPORT: Final = ("opentelemetry.", "grpc")
"""Loggers of the machinery that sends records: sending theirs would feed on itself."""


def severity_number(level: int) -> SeverityNumber:
    """Severity of a logging level by the log data model: DEBUG 5, INFO 9, WARN 13, ERROR 17, FATAL 21."""
    if level < logging.DEBUG:
        return SeverityNumber.TRACE if level > 0 else SeverityNumber.UNSPECIFIED
    tens, ones = divmod(min(level, 53), 10)
    return SeverityNumber(1 + 4 * tens + min(ones, 3))


def severity_text(level_name: str) -> str:
    """Name of a level as the log data model has it."""
    return _SEVERITY_TEXT.get(level_name, level_name)
