"""Which trace something belongs to when no span is current any more."""

import contextlib
import logging
from typing import Final

from opentelemetry.context import Context
from opentelemetry.trace import (
    INVALID_SPAN_CONTEXT,
    NonRecordingSpan,
    SpanContext,
    get_current_span,
    set_span_in_context,
)

_MARK: Final = "_infersight_span_context"


def remember_span(error: BaseException, context: SpanContext) -> None:
    """Let an exception carry the span that it leaves, for whoever logs it outside."""
    if context.is_valid:
        with contextlib.suppress(AttributeError):  # an exception class with __slots__ has no room for it
            setattr(error, _MARK, context)


def span_context_of(record: logging.LogRecord) -> SpanContext:
    """The span that a log record belongs to: the current one, else the one that its exception left; maybe invalid."""
    current = get_current_span().get_span_context()
    if current.is_valid or not record.exc_info:
        return current
    remembered = getattr(record.exc_info[1], _MARK, None)
    return remembered if isinstance(remembered, SpanContext) else INVALID_SPAN_CONTEXT


def context_of(span_context: SpanContext | None) -> Context:
    """A context in which this span is current; an empty one where it is not known."""
    if span_context is None:
        return Context()
    return set_span_in_context(NonRecordingSpan(span_context), Context())
