"""Exporters that redact what they pass on, on the exporting thread.

Only what a rule touches is copied; the application's own objects stay as they are. What cannot be redacted is not sent.
"""

import copy
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar, cast

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.metrics.export import Metric, MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Link, Status
from opentelemetry.util.types import Attributes

from infersight._config import Options
from infersight._faults import report
from infersight._redact import Pattern, Redactor

T = TypeVar("T")

_RANDOM_KEY_BYTES: Final = 16


def redactor_of(options: Options) -> Redactor | None:
    """The redactor that the options ask for; None for `off`."""
    if options.redact == "off":
        return None
    return Redactor(
        action=options.redact,
        secret_keys=frozenset(options.redact_keys),
        patterns=tuple(Pattern.of(name, expression) for name, expression in options.redact_patterns),
        max_text=options.max_text,
        hash_key=options.redact_hash_key.encode() or os.urandom(_RANDOM_KEY_BYTES),
    )


class TelemetryRedactor:
    """Redacts what the OpenTelemetry SDK hands to exporters."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._resource: tuple[Resource, Resource] | None = None

    def spans(self, spans: Sequence[ReadableSpan]) -> list[ReadableSpan]:
        """The spans to export."""
        return _all_of(spans, self._span)

    def logs(self, records: Sequence[ReadableLogRecord]) -> list[ReadableLogRecord]:
        """The log records to export."""
        return _all_of(records, self._log)

    def metrics(self, data: MetricsData) -> MetricsData:
        """The metrics to export."""
        return replace(
            data,
            resource_metrics=[
                replace(
                    of_resource,
                    resource=self._resource_of(of_resource.resource),
                    scope_metrics=[
                        replace(of_scope, metrics=_all_of(of_scope.metrics, self._metric))
                        for of_scope in of_resource.scope_metrics
                    ],
                )
                for of_resource in data.resource_metrics
            ],
        )

    def _span(self, span: ReadableSpan) -> ReadableSpan:
        text = self._redactor.text
        name, attributes, status = text(span.name), self._attributes(span.attributes), span.status
        events, links = [self._event(event) for event in span.events], [self._link(link) for link in span.links]
        resource = self._resource_of(span.resource)
        if status.description:
            description = text(status.description)
            status = status if description == status.description else Status(status.status_code, description)
        same = name == span.name and attributes is None and status is span.status and resource is span.resource
        if same and all(map(_is, events, span.events)) and all(map(_is, links, span.links)):
            return span
        return _RedactedSpan(
            span,
            name=name,
            attributes=span.attributes if attributes is None else attributes,
            events=events,
            links=links,
            status=status,
            resource=resource,
        )

    def _event(self, event: Event) -> Event:
        name, attributes = self._redactor.text(event.name), self._attributes(event.attributes)
        if name == event.name and attributes is None:
            return event
        return Event(name, event.attributes if attributes is None else attributes, event.timestamp)

    def _link(self, link: Link) -> Link:
        attributes = self._attributes(link.attributes)
        return link if attributes is None else Link(link.context, attributes)

    def _log(self, record: ReadableLogRecord) -> ReadableLogRecord:
        log, resource = record.log_record, self._resource_of(record.resource)
        attributes, body = self._attributes(log.attributes), self._redactor.body(log.body)
        if attributes is None and body == log.body and resource is record.resource:
            return record
        log = copy.copy(log)
        log.attributes = log.attributes if attributes is None else attributes
        log.body = cast("Any", body)
        return replace(record, log_record=log, resource=resource)

    def _metric(self, metric: Metric) -> Metric:
        data: Any = metric.data  # one of four kinds of points
        kept = [self._point(point) for point in data.data_points]
        return (
            metric if all(map(_is, kept, data.data_points)) else replace(metric, data=replace(data, data_points=kept))
        )

    def _point(self, point: Any) -> Any:
        attributes = self._attributes(point.attributes)
        of_exemplars = [self._attributes(exemplar.filtered_attributes) for exemplar in point.exemplars]
        if attributes is None and all(found is None for found in of_exemplars):
            return point
        return replace(
            point,
            attributes=point.attributes if attributes is None else attributes,
            exemplars=[
                exemplar if found is None else replace(exemplar, filtered_attributes=found)
                for exemplar, found in zip(point.exemplars, of_exemplars, strict=True)
            ],
        )

    def _attributes(self, attributes: Mapping[str, Any] | None) -> BoundedAttributes | None:
        """The attributes after redaction; None where no rule touches them."""
        if not attributes:
            return None
        kept = self._redactor.attributes(attributes)
        if kept is attributes:
            return None
        bounded = BoundedAttributes(attributes=cast("Any", kept), immutable=False)
        bounded.dropped = getattr(attributes, "dropped", 0)
        return bounded

    def _resource_of(self, resource: Resource) -> Resource:
        """A resource stays the same for as long as the process: only the last one is remembered."""
        known = self._resource
        if known is None or known[0] is not resource:
            attributes = self._attributes(resource.attributes)
            kept = resource if attributes is None else Resource(cast("Any", attributes), resource.schema_url)
            known = self._resource = (resource, kept)
        return known[1]


class _RedactedSpan(ReadableSpan):
    """A copy of an ended span that counts what the original dropped."""

    def __init__(
        self,
        original: ReadableSpan,
        *,
        name: str,
        attributes: Attributes,
        events: Sequence[Event],
        links: Sequence[Link],
        status: Status,
        resource: Resource,
    ) -> None:
        super().__init__(
            name,
            context=original.context,
            parent=original.parent,
            resource=resource,
            attributes=attributes,
            events=events,
            links=links,
            kind=original.kind,
            status=status,
            start_time=original.start_time,
            end_time=original.end_time,
            instrumentation_scope=original.instrumentation_scope,
        )
        self._dropped = (original.dropped_attributes, original.dropped_events, original.dropped_links)

    @property
    def dropped_attributes(self) -> int:
        return self._dropped[0]

    @property
    def dropped_events(self) -> int:
        return self._dropped[1]

    @property
    def dropped_links(self) -> int:
        return self._dropped[2]


class RedactingSpanExporter(SpanExporter):
    """Redacts spans before the exporter behind it sees them."""

    def __init__(self, exporter: SpanExporter, redactor: TelemetryRedactor) -> None:
        self._exporter = exporter
        self._redactor = redactor

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Pass one batch on."""
        return self._exporter.export(self._redactor.spans(spans))

    def shutdown(self) -> None:
        """Stop the exporter behind it."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the exporter behind it."""
        return self._exporter.force_flush(timeout_millis)


class RedactingLogExporter(LogRecordExporter):
    """Redacts log records before the exporter behind it sees them."""

    def __init__(self, exporter: LogRecordExporter, redactor: TelemetryRedactor) -> None:
        self._exporter = exporter
        self._redactor = redactor

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Pass one batch on."""
        return self._exporter.export(self._redactor.logs(batch))

    def shutdown(self) -> None:
        """Stop the exporter behind it."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 10_000) -> bool:
        """Flush the exporter behind it."""
        return self._exporter.force_flush(timeout_millis)


class RedactingMetricExporter(MetricExporter):
    """Redacts metrics before the exporter behind it sees them."""

    def __init__(self, exporter: MetricExporter, redactor: TelemetryRedactor) -> None:
        # The reader asks the outermost exporter; the exporter's own choice has no public name.
        super().__init__(exporter._preferred_temporality, exporter._preferred_aggregation)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - see above
        self._exporter = exporter
        self._redactor = redactor

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        """Pass one collection on."""
        return self._exporter.export(self._redactor.metrics(metrics_data), timeout_millis, **kwargs)  # pyright: ignore[reportUnknownMemberType] - untyped keywords

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Flush the exporter behind it."""
        return self._exporter.force_flush(timeout_millis)

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Stop the exporter behind it."""
        self._exporter.shutdown(timeout_millis, **kwargs)  # pyright: ignore[reportUnknownMemberType] - untyped keywords


def _all_of(items: Sequence[T], redact: Callable[[T], T]) -> list[T]:
    kept: list[T] = []
    for item in items:
        try:
            kept.append(redact(item))
        except Exception:  # noqa: BLE001 - what cannot be redacted is not sent, and costs nothing but itself
            report("redact a record")
    return kept


def _is(one: object, other: object) -> bool:
    return one is other
