"""Spans of ours around a block of code: the one piece that starts, ends and fails them, and `stage` made of it."""

import contextlib
import os
import re
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from opentelemetry import context as otel_context
from opentelemetry._logs import SeverityNumber
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, StatusCode, get_current_span, set_span_in_context

from infersight import _attributes as names
from infersight._configure import state
from infersight._faults import report
from infersight._request import current_request
from infersight._telemetry import Telemetry
from infersight._values import AttributeValue, carriable, exception_attributes, qualified_name, safe_str, text

if TYPE_CHECKING:
    from contextvars import Token


_NANOSECOND: Final = 1e-9


def _in_event_loop() -> bool:
    """Whether an event loop runs in this thread, where other tasks may have their turn."""
    asyncio = sys.modules.get("asyncio")  # not loaded for the question
    return asyncio is not None and asyncio._get_running_loop() is not None  # noqa: SLF001 - documented, and the fastest


class OpenSpan:
    """A span that is current from its creation until `close`, in the thread or task that created it.

    Args:
        telemetry: what it is emitted through.
        name: the span's name.
        attributes: what is known at its start.
        context: holds its parent, and what else is current inside; the current context without it.
        links: to spans of other traces that it serves.
        kind: whether it is a call to another service.
        is_sync: whether nothing else runs in the thread until it is left, so that the thread's CPU time is the span's;
            None: unless an event loop runs there.
    """

    __slots__ = ("_began_cpu_ns", "_began_monotonic_ns", "_began_ns", "_telemetry", "_token", "span")

    def __init__(
        self,
        telemetry: Telemetry,
        name: str,
        attributes: dict[str, AttributeValue],
        context: Context | None = None,
        links: Sequence[Link] | None = None,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        is_sync: bool | None = False,
    ) -> None:
        self._telemetry = telemetry
        self._began_cpu_ns: int | None = None
        self._token: Token[Context] | None = None
        if context is None and links is None:
            parent = get_current_span()
            if telemetry.is_left_out(parent):  # whatever would begin below it is left out too: the decision is made
                self.span: Span = parent
                self._began_monotonic_ns = telemetry.monotonic_ns()
                return
        request = current_request.get()
        if request is not None:
            attributes = request.mark(attributes, context)
        self._began_ns = telemetry.time_ns()
        self.span = telemetry.tracer.start_span(name, context, kind, attributes, links, start_time=self._began_ns)
        # Attached by hand: OpenTelemetry's context manager costs a tenth of the whole span.
        self._token = otel_context.attach(set_span_in_context(self.span, context))
        if (is_sync or (is_sync is None and not _in_event_loop())) and self.span.is_recording():
            self._began_cpu_ns = telemetry.cpu_ns()
        self._began_monotonic_ns = telemetry.monotonic_ns()

    @property
    def began_ns(self) -> int:
        """When the span began, nanoseconds since the epoch."""
        return self._began_ns

    def elapsed_ns(self) -> int:
        """Nanoseconds since the span began."""
        return self._telemetry.monotonic_ns() - self._began_monotonic_ns

    def close(self, elapsed_ns: int, error: BaseException | None = None) -> None:
        """End the span after `elapsed_ns`, failed by the error where there is one, and make its parent current."""
        self.leave()
        self.end(elapsed_ns, error)

    def leave(self) -> None:
        """Make its parent current again, where it was created; the span goes on until `end`."""
        if self._began_cpu_ns is not None:
            ran_ns = self._telemetry.cpu_ns() - self._began_cpu_ns
            self.span.set_attribute(names.CPU_DURATION, ran_ns * _NANOSECOND)
        if self._token is not None:
            otel_context.detach(self._token)

    def end(self, elapsed_ns: int, error: BaseException | None = None) -> None:
        """End the span that was left, as `close` does, at any later time and in any thread."""
        if self._token is None:
            return
        try:
            if error is not None and self.span.is_recording():
                fail(self._telemetry, self.span, error)
        finally:
            self.span.end(self._began_ns + elapsed_ns)


_RECORDED: Final = "_infersight_recorded"
"""The traces in which an exception has its log event; one that fails a batch is raised in several."""


def fail(telemetry: Telemetry, span: Span, error: BaseException) -> None:
    """Put an error on a span: `error.type` always; status and the exception itself for an `Exception`.

    What is no `Exception` (a cancelled task, a closed generator, an interrupt) ended the work without being a fault
    of it. The exception is an event of each span that it leaves, or one log event at the first, or both, as
    `OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN` says (nothing, `logs`, `logs/dup`).
    """
    span.set_attribute(names.ERROR_TYPE, qualified_name(type(error)))
    if not isinstance(error, Exception):
        return
    span.set_status(StatusCode.ERROR, safe_str(error))
    signals = {part.strip() for part in os.environ.get("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", "").split(",")}
    attributes = exception_attributes(error)
    if "logs" not in signals:
        span.add_event(names.EXCEPTION_EVENT, attributes)
    trace_id = span.get_span_context().trace_id
    recorded: tuple[int, ...] = getattr(error, _RECORDED, ())
    if signals & {"logs", "logs/dup"} and trace_id not in recorded:
        with contextlib.suppress(AttributeError):  # an exception class with __slots__ has no room for it
            setattr(error, _RECORDED, (*recorded, trace_id))
        body = f"{qualified_name(type(error))}: {safe_str(error)}"
        context = set_span_in_context(span)
        telemetry.emit_event(names.EXCEPTION_LOG, SeverityNumber.ERROR, body, attributes, context)


class Block:
    """A `with` block whose span is a child of the current one; usable around awaits, and once."""

    __slots__ = ("_attributes", "_kind", "_name", "_open")

    def __init__(self, name: str, attributes: dict[str, AttributeValue], kind: SpanKind = SpanKind.INTERNAL) -> None:
        self._name = name
        self._attributes = attributes
        self._kind = kind
        self._open: OpenSpan | None = None

    def __enter__(self) -> Self:
        telemetry = state.telemetry
        if telemetry is not None:
            try:
                self._open = OpenSpan(telemetry, self._name, self._attributes, kind=self._kind, is_sync=None)
            except Exception:  # noqa: BLE001 - the block runs in any case
                report("start a span")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        opened = self._open
        if opened is not None:
            try:
                opened.close(opened.elapsed_ns(), error)
            except Exception:  # noqa: BLE001 - the block's outcome is not ours to change
                report("end a span")

    def set(self, **attributes: object) -> None:
        """Add attributes that became known inside the block."""
        if self._open is not None:
            try:
                self._open.span.set_attributes({key: carriable(value) for key, value in attributes.items()})
            except Exception:  # noqa: BLE001 - the block runs in any case
                report("set span attributes")


_STAGE: Final[dict[str, AttributeValue]] = {names.OPERATION: names.OPERATION_STAGE}


def stage(name: str, **attributes: object) -> Block:
    """Time one step of a request: a child span for the block that follows, in sync and async code alike.

    Args:
        name: the step, the span's name; one of a few (low cardinality), such as "preprocess".
        attributes: facts about this execution; `**{"document.kind": kind}` for names with dots.

    Returns:
        The block for `with`; its `set(**attributes)` adds what becomes known inside.
    """
    if state.telemetry is None:
        return Block(name, {})
    values: dict[str, AttributeValue] = {key: carriable(value) for key, value in attributes.items()}
    return Block(name, values | _STAGE)


_STATEMENT_LENGTH: Final = 4_096
_LITERAL: Final = re.compile(r"'[^']*(?:'|$)|(?<![\w.$:@])\d[\w.]*")


def query(
    name: str,
    *,
    statement: str | None = None,
    system: str | None = None,
    operation: str | None = None,
    **attributes: object,
) -> Block:
    """Time one call of a database, a vector index, a cache or another service: a CLIENT span for the block.

    For clients that OpenTelemetry does not instrument. The names are the database conventions'; the same query many
    times in one request (N+1) is found by `db.query.summary`.

    Args:
        name: the query, the span's name and `db.query.summary`; one of a few, such as "SELECT users".
        statement: its text, `db.query.text`; numbers and text in single quotes are replaced by question marks.
        system: `db.system.name`: `postgresql`, `sqlite`, `redis`, ...
        operation: `db.operation.name`: `SELECT`, `HGET`, `search`, ...
        attributes: facts about this execution.

    Returns:
        The block for `with`, as of `stage`.
    """
    if state.telemetry is None:
        return Block(name, {})
    values: dict[str, AttributeValue] = {key: carriable(value) for key, value in attributes.items()}
    values[names.OPERATION] = names.OPERATION_QUERY
    values[names.DB_QUERY_SUMMARY] = text(name)
    if statement is not None:
        values[names.DB_QUERY_TEXT] = _LITERAL.sub("?", text(statement[:_STATEMENT_LENGTH]))
    if system is not None:
        values[names.DB_SYSTEM_NAME] = text(system)
    if operation is not None:
        values[names.DB_OPERATION_NAME] = text(operation)
    return Block(name, values, SpanKind.CLIENT)
