"""What the SDK emits through: one tracer, its instruments and one event logger, made once and used by every call."""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from opentelemetry._logs import LoggerProvider, LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, TracerProvider, set_span_in_context

from infersight import _attributes as names
from infersight._deferred import DeferredEnds
from infersight._generation_metrics import GenerationMetrics
from infersight._series import InferenceSeries, Series
from infersight._values import AttributeValue
from infersight._version import __version__

_DURATION_BOUNDS: Final = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075),
    *(0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0),
)
"""Seconds: the bounds that semantic conventions advise for HTTP, continued downwards for small models."""

_BATCH_BOUNDS: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0)
_LAG_BOUNDS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

_LAST_TRACE_ID: Final = (1 << 128) - 1
"""The trace that a sampler by ratio is the last to leave out."""

ModelKey = tuple[str, str | None]
"""Name and version of a model: the identity of its metric series."""


def model_attributes(model: ModelKey) -> dict[str, str]:
    """The attributes that identify a model on spans and metrics."""
    name, version = model
    if version is None:
        return {names.MODEL_NAME: name}
    return {names.MODEL_NAME: name, names.MODEL_VERSION: version}


class ActiveInferences:
    """How many inferences of each model are running; read at each collection instead of emitted at each change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[ModelKey] = Counter()

    def change(self, model: ModelKey, by: int) -> None:
        """Count an inference that began (+1) or ended (-1)."""
        with self._lock:
            self._counts[model] += by

    def forget(self) -> None:
        """Begin anew in a forked child."""
        self._lock = threading.Lock()
        self._counts.clear()

    def observe(self, _options: CallbackOptions) -> Iterable[Observation]:
        """The counts now, for the metrics SDK."""
        with self._lock:
            counts = list(self._counts.items())
        return [Observation(count, model_attributes(model)) for model, count in counts]


def new_id() -> str:
    """An id that nothing else has, 32 hex digits."""
    return os.urandom(16).hex()


class Telemetry:
    """The emitting side of the SDK over three providers.

    Spans are timed by one reading of the wall clock and a monotonic difference, so that a stepped clock changes no
    duration, and a span's duration and its metric are the same number.
    """

    def __init__(
        self,
        tracer_provider: TracerProvider,
        meter_provider: MeterProvider,
        logger_provider: LoggerProvider,
        *,
        time_ns: Callable[[], int] = time.time_ns,
        monotonic_ns: Callable[[], int] = time.perf_counter_ns,
        cpu_ns: Callable[[], int] = time.thread_time_ns,
        new_id: Callable[[], str] = new_id,
    ) -> None:
        self.time_ns = time_ns
        self.monotonic_ns = monotonic_ns
        self.cpu_ns = cpu_ns
        self.new_id = new_id
        self.tracer = tracer_provider.get_tracer(names.SCOPE, __version__, names.SCHEMA_URL)
        self._follows_parents = _follows_parents(getattr(tracer_provider, "sampler", None))
        self.logger = logger_provider.get_logger(names.SCOPE, __version__, names.SCHEMA_URL)
        meter = meter_provider.get_meter(names.SCOPE, __version__, names.SCHEMA_URL)
        self.duration = meter.create_histogram(
            names.INFERENCE_DURATION,
            unit="s",
            description="Duration of one inference call.",
            explicit_bucket_boundaries_advisory=_DURATION_BOUNDS,
        )
        self.batch_size = meter.create_histogram(
            names.INFERENCE_BATCH_SIZE,
            unit="{item}",
            description="Items in one inference call.",
            explicit_bucket_boundaries_advisory=_BATCH_BOUNDS,
        )
        self.errors = meter.create_counter(
            names.INFERENCE_ERRORS, unit="{error}", description="Inference calls that raised an exception."
        )
        loop_lag = meter.create_histogram(
            names.EVENT_LOOP_LAG,
            unit="s",
            description="How much later than due the event loop ran a heartbeat.",
            explicit_bucket_boundaries_advisory=_LAG_BOUNDS,
        )
        self.loop_lag = Series(loop_lag, {})
        self.forward_duration = meter.create_histogram(
            names.FORWARD_DURATION,
            unit="s",
            description="Duration of one call of a PyTorch model, as its caller waits for it.",
            explicit_bucket_boundaries_advisory=_DURATION_BOUNDS,
        )
        self.device_duration = meter.create_histogram(
            names.DEVICE_DURATION,
            unit="s",
            description="Duration of one call of a PyTorch model on its device.",
            explicit_bucket_boundaries_advisory=_DURATION_BOUNDS,
        )
        self.queue_duration = meter.create_histogram(
            names.QUEUE_DURATION,
            unit="s",
            description="How long a request waited for its batch.",
            explicit_bucket_boundaries_advisory=_DURATION_BOUNDS,
        )
        self.generation = GenerationMetrics(meter)
        self.deferred = DeferredEnds()
        self._inferences: dict[ModelKey, InferenceSeries] = {}
        self.active = ActiveInferences()
        meter.create_observable_up_down_counter(
            names.INFERENCE_ACTIVE,
            callbacks=[self.active.observe],
            unit="{inference}",
            description="Inference calls that are running.",
        )

    def forget(self) -> None:
        """Begin anew in a forked child, where nothing is running and whoever held a lock is gone."""
        self.active.forget()
        self.deferred = DeferredEnds()

    def inference(self, model: ModelKey) -> InferenceSeries:
        """Where the successful inferences of a model are recorded."""
        found = self._inferences.get(model)
        if found is None:
            attributes = model_attributes(model)
            found = InferenceSeries(
                Series(self.duration, attributes),
                Series(self.batch_size, attributes),
                Series(self.forward_duration, attributes),
            )
            self._inferences[model] = found
        return found

    def is_left_out(self, span: Span) -> bool:
        """Whether sampling has left this span out, and so will leave out every child of it."""
        context = span.get_span_context()
        return (
            not context.trace_flags.sampled
            and context.is_valid
            and not context.is_remote
            and self._follows_parents
            and not span.is_recording()
        )

    def emit_event(
        self,
        name: str,
        severity: SeverityNumber,
        body: str,
        attributes: Mapping[str, AttributeValue],
        context: Context | None = None,
    ) -> None:
        """Emit a log event (a log record with an event name).

        Args:
            name: the event's name, from `_attributes`.
            severity: how grave it is; its name without a digit is the severity text.
            body: one sentence for people.
            attributes: the facts.
            context: whose trace it belongs to; the current context without it.
        """
        self.logger.emit(
            LogRecord(
                timestamp=self.time_ns(),
                context=context,
                severity_number=severity,
                severity_text=severity.name.rstrip("0123456789"),
                body=body,
                attributes=attributes,
                event_name=name,
            )
        )


def _follows_parents(sampler: Any) -> bool:
    """Whether the sampler leaves out what begins below a span that was left out."""
    if sampler is None:
        return False
    left_out = SpanContext(trace_id=_LAST_TRACE_ID, span_id=1, is_remote=False)
    below = set_span_in_context(NonRecordingSpan(left_out), Context())
    return not sampler.should_sample(below, _LAST_TRACE_ID, "").decision.is_recording()
