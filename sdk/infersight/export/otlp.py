"""OTLP exporters that are built in the process that exports, when it first does.

Neither gRPC nor HTTP connections survive a fork, and importing gRPC takes longer than the rest of `configure`; so
each exporter here is a shell that makes the real one on the exporting thread, again after each fork.
"""
# pyright: reportUnknownMemberType=false
# MetricExporter.export has keyword arguments without types.

import logging
import os
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final, Generic, Literal, Protocol, TypeVar
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.common._internal.metrics_encoder import OTLPMetricExporterMixin
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

Signal = Literal["traces", "metrics", "logs"]

_LOOPBACK: Final = {"grpc": "http://127.0.0.1:4317", "http/protobuf": "http://127.0.0.1:4318"}
_FORK_SECONDS: Final = 0.5
"""How long a fork may wait for each of the three exports that may be under way."""

_LOG: Final = logging.getLogger("infersight")


_EXPORTERS: Final[dict[Signal, tuple[str, str]]] = {
    "traces": ("trace_exporter", "OTLPSpanExporter"),
    "metrics": ("metric_exporter", "OTLPMetricExporter"),
    "logs": ("_log_exporter", "OTLPLogExporter"),
}
"""Module (in the package of either transport) and class of each signal's exporter."""


class _Closable(Protocol):
    def shutdown(self) -> None: ...


E = TypeVar("E", bound=_Closable)


class _PerProcess(Generic[E]):
    """The exporter of this process, built at its first use.

    A process forks between its exports, not in the middle of one: gRPC leaves a child unusable that was forked while
    another thread was inside of it.
    """

    def __init__(self, build: Callable[[], E]) -> None:
        self._build = build
        self._forget()
        os.register_at_fork(before=self._pause, after_in_parent=self._resume, after_in_child=self._forget)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._idle = threading.Lock()
        self._forking = threading.local()  # several threads may fork at once
        self._exporter: E | None = None
        self._failed = False

    def _pause(self) -> None:
        # Whoever forks does not wait for a collector that is away.
        self._forking.holds = self._idle.acquire(timeout=_FORK_SECONDS)

    def _resume(self) -> None:
        if self._forking.holds:
            self._idle.release()

    @contextmanager
    def in_use(self) -> Generator[E | None]:
        """The exporter for one export; None where it cannot be built."""
        with self._idle:
            yield self._get()

    def _get(self) -> E | None:
        """The exporter; None (with one warning in each process) where it cannot be built."""
        with self._lock:
            if self._exporter is None and not self._failed:
                try:
                    self._exporter = self._build()
                except Exception as error:  # noqa: BLE001 - whatever is wrong with the environment is said and survived
                    self._failed = True
                    _LOG.warning("telemetry is not exported: %s", error)
            return self._exporter

    def shutdown(self) -> None:
        with self._lock:
            exporter = self._exporter
        if exporter is not None:
            exporter.shutdown()


class OtlpSpanExporter(SpanExporter):
    """Sends spans to where the arguments, else the `OTEL_EXPORTER_OTLP_*` variables, else the defaults say."""

    def __init__(self, endpoint: str | None, protocol: str | None) -> None:
        self._of_process = _PerProcess[SpanExporter](lambda: _build("traces", endpoint, protocol))

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send one batch; FAILURE where there is no exporter."""
        with self._of_process.in_use() as exporter:
            return SpanExportResult.FAILURE if exporter is None else exporter.export(spans)

    def shutdown(self) -> None:
        """Stop, also in the middle of a retry."""
        self._of_process.shutdown()


class OtlpLogExporter(LogRecordExporter):
    """Sends log records to where the arguments, else the `OTEL_EXPORTER_OTLP_*` variables, else the defaults say."""

    def __init__(self, endpoint: str | None, protocol: str | None) -> None:
        self._of_process = _PerProcess[LogRecordExporter](lambda: _build("logs", endpoint, protocol))

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Send one batch; FAILURE where there is no exporter."""
        with self._of_process.in_use() as exporter:
            return LogRecordExportResult.FAILURE if exporter is None else exporter.export(batch)

    def force_flush(self, timeout_millis: int = 10_000) -> bool:  # noqa: ARG002 - the interface's argument
        """True: nothing is kept here."""
        return True

    def shutdown(self) -> None:
        """Stop, also in the middle of a retry."""
        self._of_process.shutdown()


class OtlpMetricExporter(OTLPMetricExporterMixin, MetricExporter):
    """Sends metrics to where the arguments, else the `OTEL_EXPORTER_OTLP_*` variables, else the defaults say."""

    def __init__(self, endpoint: str | None, protocol: str | None) -> None:
        # The reader asks for temporality and aggregation before there is a real exporter; the mixin reads them from
        # OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE and _DEFAULT_HISTOGRAM_AGGREGATION as that one would.
        self._common_configuration()
        self._of_process = _PerProcess[MetricExporter](lambda: _build("metrics", endpoint, protocol))

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:  # noqa: ARG002 - the interface's
        """Send one collection; FAILURE where there is no exporter."""
        with self._of_process.in_use() as exporter:
            if exporter is None:
                return MetricExportResult.FAILURE
            result: MetricExportResult = exporter.export(metrics_data, timeout_millis)
            return result

    def force_flush(self, timeout_millis: float = 10_000) -> bool:  # noqa: ARG002 - the interface's argument
        """True: nothing is kept here."""
        return True

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:  # noqa: ARG002 - the interface's
        """Stop, also in the middle of a retry."""
        self._of_process.shutdown()


def _build(signal: Signal, endpoint: str | None, protocol: str | None) -> Any:
    transport, url = _destination(signal, endpoint, protocol)
    package = "opentelemetry.exporter.otlp.proto." + ("grpc" if transport == "grpc" else "http")
    module, name = _EXPORTERS[signal]
    return getattr(import_module(f"{package}.{module}"), name)(endpoint=url)


def _destination(signal: Signal, endpoint: str | None, protocol: str | None) -> tuple[str, str | None]:
    """Transport and URL for a signal; the URL is None where the exporter reads it from OpenTelemetry's variables.

    Without a protocol from anywhere, port 4318 means HTTP, as it does for every OTLP receiver.
    """
    variables = (f"OTEL_EXPORTER_OTLP_{signal.upper()}", "OTEL_EXPORTER_OTLP")
    from_environment = [os.environ.get(f"{variable}_ENDPOINT", "").strip() for variable in variables]
    known = next((url for url in (endpoint, *from_environment) if url), None)
    for candidate in (protocol, *(os.environ.get(f"{variable}_PROTOCOL") for variable in variables)):
        if candidate and candidate.strip():
            transport = "grpc" if candidate.strip() == "grpc" else "http/protobuf"
            break
    else:
        transport = "http/protobuf" if known and urlsplit(known).port == 4318 else "grpc"
    if known is not None and endpoint is None:
        return transport, None
    base = (endpoint or _LOOPBACK[transport]).rstrip("/")
    return transport, base if transport == "grpc" else f"{base}/v1/{signal}"
