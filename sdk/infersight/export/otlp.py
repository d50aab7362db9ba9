"""Exporters of the three signals over OTLP: shells that are safe in forked processes and can write to a spool."""
# pyright: reportUnknownMemberType=false
# MetricExporter.export has keyword arguments without types.

from collections.abc import Sequence
from typing import Any

from opentelemetry.exporter.otlp.proto.common._internal.metrics_encoder import OTLPMetricExporterMixin
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from infersight.export.delivery import Delivery


class OtlpSpanExporter(SpanExporter):
    """Sends spans to where the arguments, else the `OTEL_EXPORTER_OTLP_*` variables, else the defaults say."""

    def __init__(self, endpoint: str | None, protocol: str | None) -> None:
        self.delivery = Delivery("traces", endpoint, protocol)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send one batch."""
        taken = self.delivery.deliver(spans, len(spans), encode_spans)
        return SpanExportResult.SUCCESS if taken else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Stop, also in the middle of a retry."""
        self.delivery.shutdown()


class OtlpLogExporter(LogRecordExporter):
    """Sends log records to where the arguments, else the `OTEL_EXPORTER_OTLP_*` variables, else the defaults say."""

    def __init__(self, endpoint: str | None, protocol: str | None) -> None:
        self.delivery = Delivery("logs", endpoint, protocol)

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Send one batch."""
        taken = self.delivery.deliver(batch, len(batch), encode_logs)
        return LogRecordExportResult.SUCCESS if taken else LogRecordExportResult.FAILURE

    def force_flush(self, timeout_millis: int = 10_000) -> bool:  # noqa: ARG002 - the interface's argument
        """True: nothing is kept here."""
        return True

    def shutdown(self) -> None:
        """Stop, also in the middle of a retry."""
        self.delivery.shutdown()


class OtlpMetricExporter(OTLPMetricExporterMixin, MetricExporter):
    """Sends metrics to where the arguments, else the `OTEL_EXPORTER_OTLP_*` variables, else the defaults say."""

    def __init__(self, endpoint: str | None, protocol: str | None) -> None:
        # The reader asks for temporality and aggregation before there is a real exporter; the mixin reads them from
        # OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE and _DEFAULT_HISTOGRAM_AGGREGATION as that one would.
        self._common_configuration()
        self.delivery = Delivery("metrics", endpoint, protocol)

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:  # noqa: ARG002 - the interface's
        """Send one collection."""
        taken = self.delivery.deliver(metrics_data, _data_points(metrics_data), encode_metrics)
        return MetricExportResult.SUCCESS if taken else MetricExportResult.FAILURE

    def force_flush(self, timeout_millis: float = 10_000) -> bool:  # noqa: ARG002 - the interface's argument
        """True: nothing is kept here."""
        return True

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:  # noqa: ARG002 - the interface's
        """Stop, also in the middle of a retry."""
        self.delivery.shutdown()


def _data_points(data: MetricsData) -> int:
    scopes = [scope for of_resource in data.resource_metrics for scope in of_resource.scope_metrics]
    return sum(len(metric.data.data_points) for scope in scopes for metric in scope.metrics)
