"""The stock OpenTelemetry SDK with its stock exporters: everything that it sends arrives, joined by its ids."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc import _log_exporter as grpc_logs
from opentelemetry.exporter.otlp.proto.grpc import metric_exporter as grpc_metrics
from opentelemetry.exporter.otlp.proto.grpc import trace_exporter as grpc_traces
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http import _log_exporter as http_logs
from opentelemetry.exporter.otlp.proto.http import metric_exporter as http_metrics
from opentelemetry.exporter.otlp.proto.http import trace_exporter as http_traces
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from tests.support.collectors import RunningCollector

REQUESTS = 300


@dataclass(frozen=True)
class Exporters:
    """The stock exporters of one protocol."""

    spans: SpanExporter
    logs: LogRecordExporter
    metrics: MetricExporter


def over_grpc(collector: RunningCollector) -> Exporters:
    return Exporters(
        grpc_traces.OTLPSpanExporter(endpoint=collector.grpc, insecure=True),
        grpc_logs.OTLPLogExporter(endpoint=collector.grpc, insecure=True),
        grpc_metrics.OTLPMetricExporter(endpoint=collector.grpc, insecure=True),
    )


def over_http(collector: RunningCollector) -> Exporters:
    base = f"http://{collector.http}/v1"
    return Exporters(
        http_traces.OTLPSpanExporter(endpoint=f"{base}/traces", compression=Compression.Gzip),
        http_logs.OTLPLogExporter(endpoint=f"{base}/logs", compression=Compression.Gzip),
        http_metrics.OTLPMetricExporter(endpoint=f"{base}/metrics", compression=Compression.Gzip),
    )


@pytest.mark.parametrize("connect", [over_grpc, over_http])
def test_all_that_the_stock_sdk_sends_arrives(
    collector: RunningCollector, connect: Callable[[RunningCollector], Exporters]
) -> None:
    service = connect.__name__
    serve(connect(collector), Resource.create({"service.name": service, "service.instance.id": "1"}))
    where = f"where service_name = '{service}'"
    collector.wait_for(f"select count(*) from spans {where}", 2 * REQUESTS)
    collector.wait_for(f"select count(*) from logs {where}", REQUESTS)
    collector.wait_for(f"select coalesce(sum(count), 0) from metrics {where} and name = 'latency'", REQUESTS)
    children = "select count(*) from spans child join spans parent on child.parent_span_id = parent.span_id "
    assert collector.query(
        f"{children} and child.trace_id = parent.trace_id and child.attributes.number = parent.attributes.number "
        f"where parent.service_name = '{service}' and parent.kind = 'SERVER' and child.name = 'forward'"
    ) == [(REQUESTS,)]
    assert collector.query(
        f"select count(*) from logs join spans using (trace_id, span_id, service_name) {where} "
        "and logs.attributes.number = spans.attributes.number and spans.name = 'forward' "
        "and logs.body = 'number ' || logs.attributes.number"
    ) == [(REQUESTS,)]
    exemplars = "select count(*) > 0 from exemplars join spans using (trace_id, span_id, service_name) "
    assert collector.query(f"{exemplars} {where} and metric_name = 'latency'") == [(True,)]


def serve(exporters: Exporters, resource: Resource) -> None:
    """Emits what a server would for its requests: two spans, a log record and a measurement each."""
    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(exporters.spans))
    loggers = LoggerProvider(resource=resource)
    loggers.add_log_record_processor(BatchLogRecordProcessor(exporters.logs))
    meters = MeterProvider([PeriodicExportingMetricReader(exporters.metrics)], resource=resource)
    tracer, logger, meter = tracers.get_tracer("t"), loggers.get_logger("l"), meters.get_meter("m")
    latency = meter.create_histogram("latency", unit="s")
    for number in range(REQUESTS):
        attributes = {"number": number}
        with (
            tracer.start_as_current_span("request", kind=trace.SpanKind.SERVER, attributes=attributes),
            tracer.start_as_current_span("forward", attributes=attributes),
        ):
            latency.record(number / 1000, {"route": "/predict"})
            logger.emit(LogRecord(severity_number=SeverityNumber.INFO, body=f"number {number}", attributes=attributes))
    tracers.shutdown()
    loggers.shutdown()
    meters.shutdown()
