"""The answer to a request that was taken: whole, or without what cannot be kept (partial_success)."""

from typing import Final

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsPartialSuccess, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from infersight_collector.component import Receipt
from infersight_collector.signals import Signal

Response = ExportTraceServiceResponse | ExportLogsServiceResponse | ExportMetricsServiceResponse

_WHOLE: Final = b""  # a response whose partial_success is not set
_WHOLE_JSON: Final = b"{}"


def response(signal: Signal, receipt: Receipt) -> bytes:
    """The `Export*ServiceResponse` as protobuf."""
    return _partial(signal, receipt).SerializeToString() if receipt.rejected else _WHOLE


def response_json(signal: Signal, receipt: Receipt) -> bytes:
    """The same in the JSON form of protobuf."""
    if not receipt.rejected:
        return _WHOLE_JSON
    text: str = json_format.MessageToJson(_partial(signal, receipt), indent=None)
    return text.encode()


def _partial(signal: Signal, receipt: Receipt) -> Response:
    rejected, message = receipt.rejected, receipt.message
    match signal:
        case Signal.TRACES:
            spans = ExportTracePartialSuccess(rejected_spans=rejected, error_message=message)
            return ExportTraceServiceResponse(partial_success=spans)
        case Signal.LOGS:
            records = ExportLogsPartialSuccess(rejected_log_records=rejected, error_message=message)
            return ExportLogsServiceResponse(partial_success=records)
        case Signal.METRICS:
            points = ExportMetricsPartialSuccess(rejected_data_points=rejected, error_message=message)
            return ExportMetricsServiceResponse(partial_success=points)
