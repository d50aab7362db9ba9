"""Which trace something belongs to when no span is current any more."""

import contextlib
import logging
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context
from opentelemetry.trace import (
    INVALID_SPAN_CONTEXT,
    NonRecordingSpan,
    Span,
    SpanContext,
    get_current_span,
    set_span_in_context,
)

from infersight import _attributes as names
from infersight._request import Request, current_request

if TYPE_CHECKING:
    from collections.abc import Mapping

_MARK: Final = "_infersight_request"

_left: Final[ContextVar[tuple[int, Request] | None]] = ContextVar("left", default=None)
"""Identity of the exception that left a request of this task last, and that request."""

last_inference: Final[ContextVar[tuple[tuple[str, str | None], Span] | None]] = ContextVar(
    "last_inference", default=None
)
"""Model (name, version) and span of the inference that began last in this task or thread."""


def remember_request(error: BaseException, request: Request) -> None:
    """Let an exception be known as the one that left the request, for whoever logs it outside.

    By the task in which it left, for the requests of a batch may fail by one exception; where it is logged in another
    task, by the exception itself.
    """
    _left.set((id(error), request))
    with contextlib.suppress(AttributeError):  # an exception class with __slots__ has no room for it
        setattr(error, _MARK, request)


def request_of(record: logging.LogRecord) -> Request | None:
    """The request that a log record belongs to: the current one, else the one that its exception left."""
    current = current_request.get()
    if current is not None or not record.exc_info:
        return current
    left = _left.get()
    if left is not None and left[0] == id(record.exc_info[1]):
        return left[1]
    remembered = getattr(record.exc_info[1], _MARK, None)
    return remembered if isinstance(remembered, Request) else None


def span_context_of(record: logging.LogRecord) -> SpanContext:
    """The span that a log record belongs to: the current one, else the one that its exception left; maybe invalid."""
    current = get_current_span().get_span_context()
    if current.is_valid:
        return current
    request = request_of(record)
    return INVALID_SPAN_CONTEXT if request is None else request.span.get_span_context()


def trace_fields(context: SpanContext, request: Request | None) -> dict[str, str]:
    """What a line of a console says of the trace it belongs to; empty outside of one."""
    fields: dict[str, str] = {}
    if context.is_valid:
        fields = {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
    if request is not None and request.id:
        fields["request_id"] = request.id
    return fields


def context_of(span_context: SpanContext | None) -> Context:
    """A context in which this span is current; an empty one where it is not known."""
    if span_context is None:
        return Context()
    return set_span_in_context(NonRecordingSpan(span_context), Context())


def model_of_trace() -> tuple[str, str | None] | None:
    """Model (name, version) of the current span, else of the last inference that began in its trace; None without."""
    current = get_current_span()
    attributes: Mapping[str, Any] = getattr(current, "attributes", None) or {}
    if names.MODEL_NAME in attributes:
        return attributes[names.MODEL_NAME], attributes.get(names.MODEL_VERSION)
    last = last_inference.get()
    if last is None or last[1].get_span_context().trace_id != current.get_span_context().trace_id:
        return None
    return last[0]
