"""`QueuedItem` and `Batch`: which requests ran together, how long each waited for it, and what part each had.

A batch serves many requests, so it belongs to none of their traces: its span begins a trace of its own and links to
each request's span. Each request's trace has two spans that link back: `queue`, from enqueued to the batch's start, and
`batched`, while the batch runs, so that nothing of the request's time is missing in its own trace.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, format_trace_id, get_current_span

from infersight import _attributes as names
from infersight._configure import state
from infersight._context import context_of
from infersight._faults import report
from infersight._spans import OpenSpan
from infersight._telemetry import Telemetry, model_attributes
from infersight._values import AttributeValue, qualified_name

_TRACE_IDS: Final = 16
"""Co-batched trace ids that a request names; the links of the batch name all."""

_NANOSECOND: Final = 1e-9


class QueuedItem:
    """One request's place in a batcher's queue; to be made where the request is current, when it is enqueued.

    Its `queue` span begins now and ends where the batch begins that has it, or with `drop`.

    Args:
        size: how much of a batch it is, without padding: its tokens, rows or pixels; in one unit for all of a batch.
    """

    __slots__ = ("_open", "request", "size")

    def __init__(self, size: float = 1) -> None:
        self.size = float(max(size, 0))
        self.request: SpanContext = get_current_span().get_span_context()
        self._open: OpenSpan | None = None
        telemetry = state.telemetry
        if telemetry is not None:
            try:
                self._open = OpenSpan(telemetry, "queue", {names.OPERATION: names.OPERATION_QUEUE})
                self._open.leave()
                if not self.request.is_valid:
                    self.request = self._open.span.get_span_context()
            except Exception:  # noqa: BLE001 - the request is enqueued in any case
                report("observe a queued request")

    def waited_ns(self) -> int:
        """Nanoseconds since it was enqueued; 0 where nothing is emitted."""
        return 0 if self._open is None else self._open.elapsed_ns()

    def drop(self, error: BaseException | None = None) -> None:
        """It leaves the queue without a batch: it was cancelled, timed out or refused. Nothing, once in a batch."""
        opened, self._open = self._open, None
        if opened is not None:
            try:
                opened.end(opened.elapsed_ns(), error)
            except Exception:  # noqa: BLE001 - the request goes on in any case
                report("observe a dropped request")

    def take(self) -> OpenSpan | None:
        """Its queue span, for the batch that has it now; None where it is not observed or was dropped."""
        opened, self._open = self._open, None
        return opened


class _Served:
    """A request in a running batch."""

    __slots__ = ("queue", "request", "share", "size", "waited_ns")

    def __init__(self, item: QueuedItem, share: float) -> None:
        self.request = item.request
        self.size = item.size
        self.share = share
        self.waited_ns = item.waited_ns()
        self.queue = item.take()


class Batch:
    """A `with` block in which a batcher runs one batch; around awaits or not, in any thread, once.

    The block's span, "batch MODEL", has `infersight.model.*`, `infersight.batch.size` (items), `.fill` (items divided
    by the capacity), `.release_reason` and `.largest.size` (of the largest item, to which others may be padded). When
    the block ends, so do two spans of each item's request, with the same attributes. `queue`, until the block began,
    has `.queue.duration` (s) beside; the metric is `infersight.batch.queue.duration`. "batched MODEL", while it ran,
    has `.item.size`, `.share` (its size divided by the sum of the sizes, so without padding: its part of the time) and
    `.trace_ids` (of the first 16 other requests).

    OpenTelemetry keeps 128 links of a span unless `OTEL_SPAN_LINK_COUNT_LIMIT` says otherwise.

    Args:
        items: what was enqueued; dropped ones count as well, if they run.
        model: name of the model.
        version: its version.
        capacity: how many items the largest batch has.
        release_reason: why it ran now: `full`, `timeout`, or a batcher's own of few words.
    """

    __slots__ = ("_attributes", "_items", "_model", "_open", "_served")

    def __init__(
        self,
        items: Sequence[QueuedItem],
        *,
        model: str,
        version: str | None = None,
        capacity: int,
        release_reason: str,
    ) -> None:
        self._items = items
        self._model = model
        self._attributes: dict[str, AttributeValue] = {
            **model_attributes((model, version)),
            names.BATCH_SIZE: len(items),
            names.BATCH_FILL: len(items) / capacity if capacity > 0 else 1.0,
            names.RELEASE_REASON: release_reason,
            names.BATCH_LARGEST_SIZE: max((item.size for item in items), default=0.0),
        }
        self._open: OpenSpan | None = None
        self._served: list[_Served] = []

    def __enter__(self) -> Self:
        telemetry = state.telemetry
        if telemetry is not None:
            try:
                self._begin(telemetry)
            except Exception:  # noqa: BLE001 - the batch runs in any case
                report("observe a batch")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        opened, telemetry = self._open, state.telemetry
        if opened is None:
            return
        try:
            elapsed_ns = opened.elapsed_ns()
            opened.close(elapsed_ns, error)
            if telemetry is not None:
                self._end_requests(telemetry, opened, elapsed_ns, error)
        except Exception:  # noqa: BLE001 - the batch's outcome is not ours to change
            report("observe the end of a batch")

    def _begin(self, telemetry: Telemetry) -> None:
        total = sum(item.size for item in self._items)
        equal = 1 / len(self._items) if self._items else 0.0
        self._served = [_Served(item, item.size / total if total else equal) for item in self._items]
        # An empty context: a batcher's task or thread often has that of the request that happened to start it.
        self._open = OpenSpan(
            telemetry,
            f"batch {self._model}",
            {**self._attributes, names.OPERATION: names.OPERATION_BATCH},
            Context(),
            [Link(served.request) for served in self._served],
        )

    def _end_requests(
        self, telemetry: Telemetry, opened: OpenSpan, elapsed_ns: int, error: BaseException | None
    ) -> None:
        facts = dict(self._attributes)
        if error is not None:
            facts[names.ERROR_TYPE] = qualified_name(type(error))
        trace_ids = list(dict.fromkeys(served.request.trace_id for served in self._served))[: _TRACE_IDS + 1]
        series = {key: value for key, value in self._attributes.items() if key in _SERIES and isinstance(value, str)}
        for served in self._served:
            if served.queue is None:
                continue
            waited = served.waited_ns * _NANOSECOND
            served.queue.span.set_attributes({**facts, names.QUEUE_DURATION: waited})
            served.queue.span.add_link(opened.span.get_span_context())
            telemetry.queue_duration.record(waited, series, context_of(served.request))
            served.queue.end(served.waited_ns)
            if not telemetry.is_left_out(NonRecordingSpan(served.request)):
                others: list[AttributeValue] = [
                    format_trace_id(trace_id) for trace_id in trace_ids if trace_id != served.request.trace_id
                ]
                with_others: dict[str, AttributeValue] = {**facts, names.BATCH_TRACE_IDS: others[:_TRACE_IDS]}
                self._emit_batched(telemetry, opened, elapsed_ns, served, with_others)

    def _emit_batched(
        self,
        telemetry: Telemetry,
        opened: OpenSpan,
        elapsed_ns: int,
        served: _Served,
        facts: dict[str, AttributeValue],
    ) -> None:
        span = telemetry.tracer.start_span(
            f"batched {self._model}",
            context_of(served.request),
            attributes={
                **facts,
                names.OPERATION: names.OPERATION_BATCHED,
                names.BATCH_ITEM_SIZE: served.size,
                names.BATCH_SHARE: served.share,
            },
            links=[Link(opened.span.get_span_context())],
            start_time=opened.began_ns,
        )
        span.end(opened.began_ns + elapsed_ns)


_SERIES: Final = frozenset({names.MODEL_NAME, names.MODEL_VERSION, names.RELEASE_REASON})
"""The attributes of the metric."""
