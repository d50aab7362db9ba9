"""The collector's own metrics as an OTLP request."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Final

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from prometheus_client.samples import Sample

from infersight_collector.telemetry import Telemetry
from infersight_collector.telemetry.instruments import Instrument

SCOPE: Final = "infersight_collector"
"""Name of the instrumentation scope of every metric."""

_CUMULATIVE: Final = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE


def encode(telemetry: Telemetry, now_ns: int) -> bytes:
    """All metrics as one `ExportMetricsServiceRequest`.

    Args:
        telemetry: the metrics.
        now_ns: the time of the points, in nanoseconds since the epoch.
    """
    encoder = _Encoder(telemetry.started_ns, now_ns)
    metrics = [encoder.metric(instrument, family.samples) for instrument, family in telemetry.collect()]
    scope = ScopeMetrics(
        scope=InstrumentationScope(name=SCOPE, version=telemetry.resource["service.version"]),
        metrics=[metric for metric in metrics if metric is not None],
    )
    source = ResourceMetrics(resource=Resource(attributes=_attributes(telemetry.resource)), scope_metrics=[scope])
    return bytes(ExportMetricsServiceRequest(resource_metrics=[source]).SerializeToString())


class _Encoder:
    def __init__(self, started_ns: int, now_ns: int) -> None:
        self._started_ns = started_ns
        self._now_ns = now_ns

    def metric(self, instrument: Instrument, samples: Iterable[Sample]) -> Metric | None:
        """The metric with its points, or None where it has no series yet."""
        metric = Metric(name=instrument.name, description=instrument.about, unit=instrument.unit)
        match instrument.kind:
            case "histogram":
                points = self._distributions(instrument, samples)
                metric.histogram.CopyFrom(Histogram(aggregation_temporality=_CUMULATIVE, data_points=points))
                return metric if points else None
            case "counter" | "updowncounter":
                numbers = self._numbers(instrument, samples)
                grows = instrument.kind == "counter"
                total = Sum(aggregation_temporality=_CUMULATIVE, is_monotonic=grows, data_points=numbers)
                metric.sum.CopyFrom(total)
            case "gauge":
                numbers = self._numbers(instrument, samples)
                metric.gauge.CopyFrom(Gauge(data_points=numbers))
        return metric if numbers else None

    def _numbers(self, instrument: Instrument, samples: Iterable[Sample]) -> list[NumberDataPoint]:
        return [self._number(instrument, sample) for sample in samples]

    def _number(self, instrument: Instrument, sample: Sample) -> NumberDataPoint:
        point = NumberDataPoint(attributes=_series(instrument, sample.labels), time_unix_nano=self._now_ns)
        if instrument.kind != "gauge":
            point.start_time_unix_nano = self._started_ns
        if instrument.unit == "s":
            point.as_double = sample.value
        else:
            point.as_int = int(sample.value)
        return point

    def _distributions(self, instrument: Instrument, samples: Iterable[Sample]) -> list[HistogramDataPoint]:
        """The library's samples are running totals by upper bound, a sum and a count for each series."""
        by_series: defaultdict[tuple[tuple[str, str], ...], dict[str, float]] = defaultdict(dict)
        for sample in samples:
            labels = {name: value for name, value in sample.labels.items() if name != "le"}
            part = sample.labels.get("le") or sample.name.rpartition("_")[2]
            by_series[tuple(labels.items())][part] = sample.value
        return [self._distribution(instrument, dict(series), parts) for series, parts in by_series.items()]

    def _distribution(
        self, instrument: Instrument, series: Mapping[str, str], parts: dict[str, float]
    ) -> HistogramDataPoint:
        total, count = parts.pop("sum"), int(parts.pop("count"))
        running = [0, *(int(value) for value in parts.values())]
        return HistogramDataPoint(
            attributes=_series(instrument, series),
            start_time_unix_nano=self._started_ns,
            time_unix_nano=self._now_ns,
            count=count,
            sum=total,
            explicit_bounds=[float(bound) for bound in parts if bound != "+Inf"],
            bucket_counts=[after - before for before, after in pairwise(running)],
        )


def _series(instrument: Instrument, labels: Mapping[str, str]) -> list[KeyValue]:
    return _attributes(dict(zip(instrument.attributes, labels.values(), strict=True)))


def _attributes(values: Mapping[str, str]) -> list[KeyValue]:
    return [KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in values.items()]
