"""Tests of instrumentation: everything that is emitted inside a block, with ids and times that never change.

with infersight.testing.capture() as captured:
    classify(["good"])
assert captured.spans[0].name == "inference sentiment"
"""

import itertools
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, Metric
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator

from infersight._config import DEFAULT_BLOCKED_SECONDS, Options
from infersight._configure import Running, state
from infersight._context import last_inference
from infersight._faults import raise_faults
from infersight._globals import Globals, current, put
from infersight._logs import LogBridge
from infersight._pools import Pools
from infersight._providers import Providers
from infersight._recorder import Recorder
from infersight._request import current_request
from infersight._sampling import SampledLogs
from infersight._telemetry import Telemetry

START_NS: Final = 1_700_000_000_000_000_000
"""The first time that the fixed clock shows, nanoseconds since the epoch: 2023-11-14T22:13:20Z."""

TICK_NS: Final = 1_000_000
"""How much the fixed clock advances with each reading: a millisecond."""


class SequentialIds(IdGenerator):
    """Trace ids 1, 2, 3, ... and span ids 1, 2, 3, ... in the order of their creation."""

    def __init__(self) -> None:
        self._trace_ids = itertools.count(1)
        self._span_ids = itertools.count(1)

    def generate_trace_id(self) -> int:
        """The next trace id."""
        return next(self._trace_ids)

    def generate_span_id(self) -> int:
        """The next span id."""
        return next(self._span_ids)


def _ticking(start_ns: int) -> Callable[[], int]:
    readings = itertools.count(start_ns, TICK_NS)
    return lambda: next(readings)


def _sequential_ids() -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"{next(numbers):032x}"


class Captured:
    """What was emitted so far inside a `capture` block."""

    def __init__(self) -> None:
        self._spans = InMemorySpanExporter()
        self._logs = InMemoryLogRecordExporter()
        self._reader = InMemoryMetricReader()
        resource = Resource.create({"service.name": "captured"})
        self.tracer_provider = TracerProvider(resource=resource, id_generator=SequentialIds(), shutdown_on_exit=False)
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._spans))
        self.meter_provider = MeterProvider([self._reader], resource, shutdown_on_exit=False)
        self.logger_provider = LoggerProvider(
            resource, shutdown_on_exit=False, multi_log_record_processor=SampledLogs()
        )
        self.logger_provider.add_log_record_processor(SimpleLogRecordProcessor(self._logs))

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        """Ended spans, in the order in which they ended."""
        return self._spans.get_finished_spans()

    def span(self, name: str) -> ReadableSpan:
        """The one span of this name.

        Raises:
            LookupError: there is none, or more than one.
        """
        found = [span for span in self.spans if span.name == name]
        if len(found) != 1:
            raise LookupError(f"{len(found)} spans are named {name!r}, of {[span.name for span in self.spans]}")
        return found[0]

    @property
    def logs(self) -> Sequence[ReadableLogRecord]:
        """Log records and events, in the order in which they were emitted."""
        return self._logs.get_finished_logs()

    def metrics(self) -> dict[str, Metric]:
        """The metrics by name, as of now: cumulative, with the exemplars since the last look."""
        data = self._reader.get_metrics_data()
        if data is None:
            return {}
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics]
        return {metric.name: metric for scope in scopes for metric in scope.metrics}

    def points(self, name: str) -> Sequence[Any]:
        """The data points of one metric of `metrics()`; empty while it has none."""
        metric = self.metrics().get(name)
        return () if metric is None else metric.data.data_points


@contextmanager
def capture(
    *,
    faults_raise: bool = True,
    blocked_seconds: float = DEFAULT_BLOCKED_SECONDS,
    slow_seconds: float | None = None,
) -> Generator[Captured]:
    """Send everything to memory inside the block, instead of where `configure` said; not for threads in parallel.

    Applications are to be instrumented inside the block: OpenTelemetry's instrumentations keep the provider that was
    there when they began.

    Args:
        faults_raise: whether a fault of the SDK is raised instead of logged.
        blocked_seconds: as in `configure`.
        slow_seconds: as in `configure`; the detail of a request is there after `infersight.force_flush()`.

    Yields:
        What was emitted.
    """
    captured = Captured()
    providers = Providers(
        captured.tracer_provider, captured.meter_provider, captured.logger_provider, "captured", (), ()
    )
    telemetry = Telemetry(
        providers.tracer,
        providers.meter,
        providers.logger,
        time_ns=_ticking(START_NS),
        monotonic_ns=_ticking(0),
        cpu_ns=_ticking(0),
        new_id=_sequential_ids(),
    )
    options = Options(
        service_name="captured", console="off", blocked_seconds=blocked_seconds, slow_seconds=slow_seconds
    )
    logs = LogBridge(providers.logger, "off", None, "captured")
    globals_before = current()
    put(Globals(providers.tracer, providers.meter, providers.logger))
    # Ids begin anew: what this thread remembers of an earlier trace would be taken for the same one.
    current_request.set(None)
    last_inference.set(None)
    recorder = Recorder(options, telemetry, providers, None)
    pools = Pools()
    before = state.exchange(options, Running(telemetry, providers, logs, recorder=recorder))
    raised_before = raise_faults(faults_raise)
    try:
        yield captured
    finally:
        raise_faults(raised_before)
        state.exchange(*before)
        pools.stop()
        providers.helpers.stop()
        recorder.stop()
        logs.detach()
        put(globals_before)
        captured.meter_provider.shutdown()
