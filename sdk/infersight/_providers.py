"""The three OpenTelemetry providers: those of the application where it has set them up, ours where it has not.

A provider that is already there is used as it is and gets no exporter of ours: whoever set it up decided where its
telemetry goes, and a second exporter would send it twice.
"""

import logging
import os
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final

from opentelemetry._logs import LoggerProvider
from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk import _logs as sdk_logs
from opentelemetry.sdk import metrics as sdk_metrics
from opentelemetry.sdk import trace as sdk_trace
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter
from opentelemetry.sdk.metrics.export import MetricExporter, MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import TracerProvider

from infersight import _attributes as names
from infersight._black_box import SentSpans
from infersight._config import Options
from infersight._ending import Helpers, all_end
from infersight._globals import Globals, current, put
from infersight._redact import Redactor
from infersight._sampling import SampledLogs, sampler_of
from infersight.export.delivery import Delivery
from infersight.export.destination import SIGNALS, Signal
from infersight.export.otlp import OtlpLogExporter, OtlpMetricExporter, OtlpSpanExporter
from infersight.export.redacting import (
    RedactingLogExporter,
    RedactingMetricExporter,
    RedactingSpanExporter,
    TelemetryRedactor,
)
from infersight.export.spool import Spool, SpoolFiles

_FRESH_MILLIS: Final = 1_000
"""A span waits this long for its batch unless OTEL_BSP_SCHEDULE_DELAY says otherwise (its default is 5 s)."""

_METRIC_MILLIS: Final = 10_000
"""Metrics are sent this often unless OTEL_METRIC_EXPORT_INTERVAL says otherwise (its default is 60 s): an exemplar is
kept per bucket and interval, and an investigation looks at minutes."""

_ABORT_SECONDS: Final = 1.0
"""How long exporters may take to stop when they are told to."""

_OWN_METRICS: Final = "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED"

_LOG: Final = logging.getLogger("infersight")


@dataclass(frozen=True)
class Providers:
    """Where telemetry goes; `owned` and `exporters` are what we made and have to shut down."""

    tracer: TracerProvider
    meter: MeterProvider
    logger: LoggerProvider
    service_name: str
    owned: Sequence[Any]
    exporters: Sequence[Any]
    spool: Spool | None = None
    helpers: Helpers = field(default_factory=Helpers)

    def flush(self, timeout: float) -> bool:
        """Send what is waiting; True when all of it was handed over within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        flushes = [getattr(provider, "force_flush", None) for provider in (self.tracer, self.meter, self.logger)]
        flushed = all_end(self.helpers.start([flush for flush in flushes if callable(flush)]), timeout)
        return flushed and self._drain(deadline - time.monotonic())

    def _drain(self, timeout: float) -> bool:
        """Whether the spool, where there is one, could be sent within `timeout` seconds."""
        if self.spool is None:
            return True
        drained: list[bool] = []
        spool = self.spool
        return all_end(self.helpers.start([lambda: drained.append(spool.drain())]), timeout) and drained == [True]

    def shutdown(self, timeout: float) -> None:
        """Send what is waiting and stop what we started, within about `timeout` seconds."""
        deadline = time.monotonic() + timeout
        ending = self.helpers.start([provider.shutdown for provider in self.owned])
        ended = all_end(ending, timeout)
        if self.spool is not None:
            if not self._drain(deadline - time.monotonic()):
                _LOG.warning("telemetry waits in the spool for a collector")
            self.spool.stop()
        elif not ended:
            # A collector that is away must not hold up the end of a process: this aborts the retries.
            _LOG.warning("gave up sending telemetry after %g s; is there a collector?", timeout)
            with _quiet_exporters():
                aborting = self.helpers.start([exporter.shutdown for exporter in self.exporters])
                all_end([*aborting, *ending], _ABORT_SECONDS)
        self.helpers.stop()
        now, ours = current(), self.owned
        put(
            Globals(
                None if now.tracer in ours else now.tracer,
                None if now.meter in ours else now.meter,
                None if now.logger in ours else now.logger,
            )
        )


class _Redacting:
    """Puts redaction before exporters of ours; leaves them as they are where it is switched off."""

    def __init__(self, redactor: Redactor | None) -> None:
        self._redactor = None if redactor is None else TelemetryRedactor(redactor)

    def spans(self, exporter: SpanExporter) -> SpanExporter:
        return exporter if self._redactor is None else RedactingSpanExporter(exporter, self._redactor)

    def logs(self, exporter: LogRecordExporter) -> LogRecordExporter:
        return exporter if self._redactor is None else RedactingLogExporter(exporter, self._redactor)

    def metrics(self, exporter: MetricExporter) -> MetricExporter:
        return exporter if self._redactor is None else RedactingMetricExporter(exporter, self._redactor)


def set_up(options: Options, redactor: Redactor | None) -> Providers:
    """Providers for the options, registered with OpenTelemetry where it has none yet.

    Args:
        options: what `configure` was told.
        redactor: what our exporters redact with; None where they do not.

    Raises:
        Exception: whatever the OpenTelemetry SDK makes of a faulty environment.
    """
    # The SDK's own detector also renews process.pid after a fork, as it does service.instance.id.
    os.environ.setdefault("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS", "process")
    resource = Resource.create(_service(options))
    exporters: list[Any] = []
    found = current()
    redacting = _Redacting(redactor)
    meter = found.meter or _meter_provider(options, resource, redacting, exporters)
    tracer = found.tracer or _tracer_provider(options, resource, redacting, exporters, meter)
    logger = found.logger or _logger_provider(options, resource, redacting, exporters, meter)
    used = Globals(tracer, meter, logger)
    put(used)
    for delivery in _deliveries(exporters):
        delivery.counts.begin(meter)
    owned = [provider for provider in used if provider not in found]
    service_name = str(resource.attributes[names.SERVICE_NAME])
    return Providers(tracer, meter, logger, service_name, owned, exporters, _spool(options, exporters))


def _deliveries(exporters: Sequence[Any]) -> list[Delivery]:
    """Those of our own exporters."""
    return [delivery for exporter in exporters if isinstance(delivery := getattr(exporter, "delivery", None), Delivery)]


def _spool(options: Options, exporters: Sequence[Any]) -> Spool | None:
    """The spool of our exporters, where one is asked for and can be had."""
    if options.spool is None:
        return None
    try:
        files = SpoolFiles(Path(options.spool), options.spool_bytes)
    except OSError as error:
        _LOG.warning("telemetry is not spooled: %s", error)
        return None
    # Files of a signal that is not exported now may wait there from another process.
    deliveries: dict[Signal, Delivery] = {
        signal: Delivery(signal, options.endpoint, options.protocol) for signal in SIGNALS
    }
    deliveries |= {delivery.signal: delivery for delivery in _deliveries(exporters)}
    spool = Spool(files, deliveries)
    for delivery in deliveries.values():
        delivery.spool = spool
    return spool


@contextmanager
def _counting_drops() -> Generator[None]:
    """What is made inside counts what it drops, by OpenTelemetry's metrics of itself.

    They are off by default, and stay off for tracers, which would count every span while a request waits.
    """
    before = os.environ.get(_OWN_METRICS)
    os.environ[_OWN_METRICS] = "true"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_OWN_METRICS]
        else:
            os.environ[_OWN_METRICS] = before


def _service(options: Options) -> dict[str, str]:
    given = {names.SERVICE_NAME: options.service_name, names.SERVICE_VERSION: options.service_version}
    return {key: value for key, value in given.items() if value is not None}


def _tracer_provider(
    options: Options, resource: Resource, redacting: _Redacting, exporters: list[Any], meter: MeterProvider
) -> sdk_trace.TracerProvider:
    provider = sdk_trace.TracerProvider(sampler_of(options), resource, shutdown_on_exit=False)
    if options.recorder and options.recorder_dir is not None:
        provider.add_span_processor(SentSpans())
    delay = None if "OTEL_BSP_SCHEDULE_DELAY" in os.environ else _FRESH_MILLIS
    for exporter in _exporters("traces", lambda: OtlpSpanExporter(options.endpoint, options.protocol)):
        exporters.append(exporter)
        with _counting_drops():
            processor = BatchSpanProcessor(redacting.spans(exporter), schedule_delay_millis=delay, meter_provider=meter)
        provider.add_span_processor(processor)
    return provider


def _meter_provider(
    options: Options, resource: Resource, redacting: _Redacting, exporters: list[Any]
) -> sdk_metrics.MeterProvider:
    interval = None if "OTEL_METRIC_EXPORT_INTERVAL" in os.environ else _METRIC_MILLIS
    readers: list[MetricReader] = []
    for exporter in _exporters("metrics", lambda: OtlpMetricExporter(options.endpoint, options.protocol)):
        if isinstance(exporter, MetricReader):  # one that is asked, such as Prometheus
            readers.append(exporter)
        else:
            exporters.append(exporter)
            readers.append(PeriodicExportingMetricReader(redacting.metrics(exporter), interval))
    return sdk_metrics.MeterProvider(readers, resource, shutdown_on_exit=False)


def _logger_provider(
    options: Options, resource: Resource, redacting: _Redacting, exporters: list[Any], meter: MeterProvider
) -> sdk_logs.LoggerProvider:
    provider = sdk_logs.LoggerProvider(resource, shutdown_on_exit=False, multi_log_record_processor=SampledLogs())
    for exporter in _exporters("logs", lambda: OtlpLogExporter(options.endpoint, options.protocol)):
        exporters.append(exporter)
        with _counting_drops():
            processor = BatchLogRecordProcessor(redacting.logs(exporter), meter_provider=meter)
        provider.add_log_record_processor(processor)
    return provider


def _exporters(signal: str, otlp: Callable[[], Any]) -> Iterable[Any]:
    """The exporters that `OTEL_<SIGNAL>_EXPORTER` names; OTLP without it."""
    for name in os.environ.get(f"OTEL_{signal.upper()}_EXPORTER", "otlp").split(","):
        match name.strip():
            case "" | "none":
                continue
            case "otlp":
                yield otlp()
            case other:
                found = list(entry_points(group=f"opentelemetry_{signal}_exporter", name=other))
                if not found:
                    raise ValueError(f"OTEL_{signal.upper()}_EXPORTER={other}: no such exporter is installed")
                yield found[0].load()()


@contextmanager
def _quiet_exporters() -> Generator[None]:
    """Without the log lines in which exporters complain that they were stopped: we have said so."""
    logger = logging.getLogger("opentelemetry.exporter")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
