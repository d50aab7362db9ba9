"""Structured log events, as structlog makes them: what is said, the facts beside it, and the exception."""

import sys
from collections.abc import Mapping
from typing import Any, Final, cast

from infersight import _attributes as names
from infersight._values import AttributeValue, carriable, exception_attributes, safe_str

STRUCTURED: Final = "_infersight_structured"
"""Attribute of a standard log record that carries the event which was rendered to its message."""

TRACE_FIELDS: Final = frozenset({"trace_id", "span_id", "request_id", "service"})
"""What the console's line has of the trace; a record sent over OTLP has its own places for it."""

_ELSEWHERE: Final = (
    TRACE_FIELDS
    | {"event", "level", "log_level", "logger", "logger_name", "timestamp", "time"}
    | {
        "exc_info",
        "exception",
        "_record",
        "_from_structlog",
    }
)


def event_of(record: Mapping[str, object], message: object) -> Mapping[str, Any] | None:
    """The structured event of a standard log record's fields; None where it has none."""
    found = record.get(STRUCTURED)
    if found is None and "_logger" in record and "_name" in record:  # structlog's ProcessorFormatter takes the event
        found = message
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else None


def parts_of(event: Mapping[str, Any]) -> tuple[AttributeValue, dict[str, AttributeValue]]:
    """Body and attributes of a structured event, `exception.*` among them."""
    attributes = {safe_str(key): carriable(value) for key, value in event.items() if key not in _ELSEWHERE}
    error = _error_of(event.get("exc_info"), "exception" in event)
    if error is not None:
        attributes.update(exception_attributes(error))
    if isinstance(event.get("exception"), str):
        attributes[names.EXCEPTION_STACKTRACE] = safe_str(event["exception"])
    return carriable(event.get("event")), attributes


def _error_of(given: object, was_rendered: bool) -> BaseException | None:
    """The exception: itself, a triple, or the one that is being handled."""
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple) and len(cast("tuple[object, ...]", given)) == 3:
        value = cast("tuple[object, ...]", given)[1]
        return value if isinstance(value, BaseException) else None
    return sys.exc_info()[1] if given or was_rendered else None
