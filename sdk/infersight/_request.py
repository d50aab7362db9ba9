"""The request that is being served: what its spans and log records share."""

from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Final, cast

from opentelemetry import context as otel_context
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
        thread_wait_ns: how long its work waited for threads, all waits summed, in nanoseconds.
        recording: the detail that is kept until its end; None where nothing is recorded.
        is_over: whether its response is complete, though what it started may go on.
    """

    __slots__ = ("_variants", "id", "is_over", "recording", "span", "thread_wait_ns")

    def __init__(self, span: Span, id: str = "", recording: "Recording | None" = None) -> None:  # noqa: A002 - as the attribute
        self.span = span
        self.id = id
        self.recording = recording
        self.is_over = False
        self.thread_wait_ns = 0
        self._variants: dict[str, AttributeValue] = {}

    def got(self, name: str, value: str) -> None:
        """Put the attribute of a variant on the request's span, and on those that begin from now on."""
        self._variants[name] = value
        self.span.set_attribute(name, value)

    def waited_for_thread(self, nanoseconds: int) -> None:
        """Count a wait of its work for a thread; about, where two threads count at once."""
        self.thread_wait_ns += nanoseconds

    def holds(self, span: Span) -> bool:
        """Whether the span is in the request's trace: a thread, or a task that outlives it, may do other work."""
        return span.get_span_context().trace_id == self.span.get_span_context().trace_id

    def mark(self, attributes: dict[str, AttributeValue], context: Context | None) -> dict[str, AttributeValue]:
        """The attributes of a span that begins in the context, with those of the request's variants."""
        if not self._variants or not self.holds(get_current_span(context)):
            return attributes
        return {**attributes, **self._variants}


class _CurrentRequest:
    """The request of this task or thread.

    Known to the tasks and threads that the request starts, which get a copy of its context variables; and, where the
    request is on OpenTelemetry's context too, to those that get only that one: executors and plain threads, by
    opentelemetry-instrumentation-threading.
    """

    def __init__(self) -> None:
        self._variable: ContextVar[Request | None] = ContextVar("request", default=None)
        self._key = otel_context.create_key("infersight-request")

    def get(self) -> Request | None:
        """The request; None outside of one."""
        request = self._variable.get()
        return request if request is not None else cast("Request | None", otel_context.get_value(self._key))

    def set(self, request: Request | None) -> Token[Request | None]:
        """Make the request current until `reset`."""
        return self._variable.set(request)

    def reset(self, token: Token[Request | None]) -> None:
        """Undo `set`."""
        self._variable.reset(token)

    def context(self, request: Request) -> Context:
        """OpenTelemetry's current context with the request on it, to be attached."""
        return otel_context.set_value(self._key, request)


current_request: Final = _CurrentRequest()
"""Set where a request begins."""

queue_seconds: Final[ContextVar[float | None]] = ContextVar("queue_seconds", default=None)
"""How long the request that begins here waited for the application; None where that is not known."""

forced: Final[ContextVar[bool]] = ContextVar("forced", default=False)
"""Whether the request that begins here is to be sampled and sent with its detail, whatever else is decided."""
