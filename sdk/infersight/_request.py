"""The request that is being served: what its spans and log records share."""

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from opentelemetry.context import Context
from opentelemetry.trace import Span, get_current_span

from infersight._values import AttributeValue

if TYPE_CHECKING:
    from infersight._recording import Recording


class Request:
    """A request, its variants, and what the flight recorder keeps of it.

    Attributes:
        span: its server span.
        id: its `X-Request-Id`; empty without one.
        recording: the detail that is kept until its end; None where nothing is recorded.
    """

    __slots__ = ("_variants", "id", "recording", "span")

    def __init__(self, span: Span, id: str = "", recording: "Recording | None" = None) -> None:  # noqa: A002 - as the attribute
        self.span = span
        self.id = id
        self.recording = recording
        self._variants: dict[str, AttributeValue] = {}

    def got(self, name: str, value: str) -> None:
        """Put the attribute of a variant on the request's span, and on those that begin from now on."""
        self._variants[name] = value
        self.span.set_attribute(name, value)

    def holds(self, span: Span) -> bool:
        """Whether the span is in the request's trace: a thread, or a task that outlives it, may do other work."""
        return span.get_span_context().trace_id == self.span.get_span_context().trace_id

    def mark(self, attributes: dict[str, AttributeValue], context: Context | None) -> dict[str, AttributeValue]:
        """The attributes of a span that begins in the context, with those of the request's variants."""
        if not self._variants or not self.holds(get_current_span(context)):
            return attributes
        return {**attributes, **self._variants}


current_request: Final[ContextVar[Request | None]] = ContextVar("request", default=None)
"""Set where a request begins, so that the threads and tasks that it starts share one object with it."""

forced: Final[ContextVar[bool]] = ContextVar("forced", default=False)
"""Whether the request that begins here is to be sampled and sent with its detail, whatever else is decided."""
