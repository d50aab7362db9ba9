"""What the flight recorder keeps of one request: its detail, and the way of that into telemetry.

Detail is kept in a form that is cheap to make (2 to 4 us, where a span or log record of the SDK takes 20) and holds no
object of the application, least of all an array. Only a request that is worth it pays for the rest, at its end and on
another thread.
"""

import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from opentelemetry._logs import LoggerProvider, LogRecord, SeverityNumber
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    StatusCode,
    Tracer,
    set_span_in_context,
)

from infersight import _attributes as names
from infersight._context import context_of
from infersight._severity import severity_number, severity_text
from infersight._stacks import RequestStacks, folded
from infersight._values import AttributeValue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk._logs import ReadWriteLogRecord
    from opentelemetry.sdk.trace import ReadableSpan

ENTRIES: Final = 256
"""Details kept of one request, the newest; with at most `OPEN_REQUESTS` at once this bounds the memory."""


@dataclass(slots=True)
class KeptSpan:
    """A detail: a span that is made only when it is sent."""

    name: str
    context: SpanContext  # of the span that is current around it
    parent: "KeptSpan | None"  # the detail around it
    began_ns: int
    attributes: dict[str, AttributeValue]
    elapsed_ns: int = 0
    failure: str | None = None
    exception: dict[str, AttributeValue] | None = None


@dataclass(slots=True)
class KeptLog:
    """A log record below its logger's level."""

    logger: str
    time_ns: int
    level: int  # of the standard library
    body: AttributeValue
    attributes: dict[str, AttributeValue]
    context: SpanContext


Entry: TypeAlias = "KeptSpan | KeptLog"


class Recording:
    """The detail of one open request; filled from any thread.

    Args:
        span: the request's server span.
        request_id: its `X-Request-Id`, or empty.
        forced: whether whoever sent the request asked for its detail, and may.
        keeps_sent: whether what is sent anyway is remembered too, for a file of the last requests.
        stacks: where what its code does is seen; None where nobody looks.
    """

    __slots__ = (
        "_added",
        "began_ns",
        "entries",
        "forced",
        "request_id",
        "sent_logs",
        "sent_spans",
        "span",
        "stacks",
        "trace_id",
    )

    def __init__(
        self,
        span: Span,
        request_id: str,
        began_ns: int,
        *,
        forced: bool,
        keeps_sent: bool,
        stacks: RequestStacks | None = None,
    ) -> None:
        self.span = span
        self.trace_id = span.get_span_context().trace_id
        self.request_id = request_id
        self.began_ns = began_ns
        self.forced = forced
        self.stacks = stacks
        self.entries: deque[Entry] = deque(maxlen=ENTRIES)
        self.sent_spans: deque[ReadableSpan] = deque(maxlen=ENTRIES if keeps_sent else 0)
        self.sent_logs: deque[ReadWriteLogRecord] = deque(maxlen=ENTRIES if keeps_sent else 0)
        self._added = 0

    def keep(self, entry: Entry) -> None:
        """Keep a detail of its trace, for a task it started may serve others; the oldest one goes for it."""
        if entry.context.trace_id != self.trace_id:
            return
        self._added += 1
        self.entries.append(entry)

    @property
    def dropped(self) -> int:
        """Details that there was no room for, about: threads of one request may count at once."""
        return max(0, self._added - ENTRIES)


class Replay:
    """Turns the detail of a recording into spans and log records.

    Args:
        recording: what was kept.
        tracer: makes the spans, with new span ids: nothing refers to a detail before it is sent.
        loggers: makes the log records.
        reason: why, `infersight.recorder.reason`; None where the detail says nothing of it.
    """

    def __init__(self, recording: Recording, tracer: Tracer, loggers: LoggerProvider, reason: str | None) -> None:
        self._recording = recording
        self._tracer = tracer
        self._loggers = loggers
        # Chosen for how its request went, a detail stands for no other: weight 0 leaves it out of what is counted.
        self._common: dict[str, AttributeValue] = {names.SAMPLE_WEIGHT: 0.0}
        if reason is not None:
            self._common[names.RECORDER_REASON] = reason

    def run(self) -> None:
        """Emit all of it."""
        entries = list(self._recording.entries)
        made: dict[int, SpanContext] = {}
        kept = {id(entry) for entry in entries}
        for entry in entries:
            if isinstance(entry, KeptLog):
                self._log(entry)
            else:
                self._span(entry, made, kept)
        if self._recording.stacks is not None and self._recording.stacks.samples:
            self._profile(self._recording.stacks)

    def _span(self, entry: KeptSpan, made: dict[int, SpanContext], kept: set[int]) -> SpanContext:
        """A parent ends, and is kept, after its children; so it is made when the first of them asks for it."""
        if id(entry) in made:
            return made[id(entry)]
        around = entry.context
        if entry.parent is not None and id(entry.parent) in kept:
            around = self._span(entry.parent, made, kept)
        span = self._tracer.start_span(
            entry.name,
            set_span_in_context(NonRecordingSpan(around)),
            attributes={**entry.attributes, **self._common},
            start_time=entry.began_ns,
        )
        made[id(entry)] = span.get_span_context()
        if entry.failure is not None:
            span.set_status(StatusCode.ERROR, entry.failure)
        if entry.exception is not None:
            span.set_attribute(names.ERROR_TYPE, entry.exception[names.EXCEPTION_TYPE])
            span.add_event(names.EXCEPTION_EVENT, entry.exception, entry.began_ns + entry.elapsed_ns)
        span.end(entry.began_ns + entry.elapsed_ns)
        return made[id(entry)]

    def _profile(self, stacks: RequestStacks) -> None:
        """One log event, whose time is the start of the request's span: the samples count from there."""
        began_ns = self._recording.began_ns
        spans = sorted({sample.span_id for sample in stacks.samples if sample.span_id})
        places: dict[str, int] = {}  # instructions of one line are one place
        place_of = [places.setdefault(folded(stack), len(places)) for stack in stacks.known]
        self._emit(
            LogRecord(
                timestamp=getattr(self._recording.span, "start_time", None),
                context=context_of(self._recording.span.get_span_context()),
                severity_number=SeverityNumber.DEBUG,
                severity_text="DEBUG",
                body=f"what the code did: {len(stacks.samples)} samples of {len(places)} stacks",
                attributes={
                    names.PROFILE_STACKS: list(places),
                    names.PROFILE_SPANS: [f"{span_id:016x}" for span_id in spans],
                    names.PROFILE_TIMES: [max(0, sample.time_ns - began_ns) // 1_000 for sample in stacks.samples],
                    names.PROFILE_SAMPLES: [place_of[sample.stack] for sample in stacks.samples],
                    names.PROFILE_AWAITING: [sample.awaiting for sample in stacks.samples],
                    names.PROFILE_SAMPLE_SPANS: [
                        spans.index(sample.span_id) if sample.span_id else -1 for sample in stacks.samples
                    ],
                    names.PROFILE_DROPPED: stacks.dropped,
                },
                event_name=names.PROFILE,
            ),
            names.SCOPE,
        )

    def _log(self, entry: KeptLog) -> None:
        self._emit(
            LogRecord(
                timestamp=entry.time_ns,
                context=context_of(entry.context),
                severity_number=severity_number(entry.level),
                severity_text=severity_text(logging.getLevelName(entry.level)),
                body=entry.body,
                attributes=entry.attributes,
            ),
            entry.logger,
        )

    def _emit(self, record: LogRecord, logger: str) -> None:
        attributes: Mapping[str, Any] = {**(record.attributes or {}), **self._common}
        if self._recording.request_id:
            attributes = {**attributes, names.REQUEST_ID: self._recording.request_id}
        record.attributes = attributes
        self._loggers.get_logger(logger).emit(record)
