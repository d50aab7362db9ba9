"""The public SQL surface: every view with its columns and what they mean.

Each view is one file, `sql/views/NAME.sql`, and one entry here; the two are checked against each other and against
`docs/sql.md`. Names, types and meanings are a contract: columns are only ever added.
"""

from dataclasses import dataclass
from importlib import resources
from typing import Final


@dataclass(frozen=True)
class View:
    """A public view.

    Args:
        name: its name in SQL.
        about: what one row is.
        columns: what each column holds, by name, in order.
        example: a query that shows what it is for.
    """

    name: str
    about: str
    columns: dict[str, str]
    example: str

    def select(self) -> str:
        """The view's SELECT statement."""
        file = resources.files("infersight_analysis") / "sql" / "views" / f"{self.name}.sql"
        return file.read_text()


_TRACE: Final = {
    "trace_id": "32 lower-case hex digits",
    "span_id": "16 lower-case hex digits",
}
_SERVICE: Final = {
    "service_name": "`service.name` of the sender",
    "service_version": "`service.version` of the sender",
    "service_instance_id": "`service.instance.id`: one process of the service",
}
_SCOPE: Final = {
    "scope_name": "instrumentation scope, the library that emitted it",
    "scope_version": "its version",
    "scope_attributes": "STRUCT of its attributes",
    "scope_attributes_other": "JSON object of what the STRUCT cannot hold",
}
_RESOURCE: Final = {
    "resource_attributes": "STRUCT of the sender's attributes",
    "resource_attributes_other": "JSON object of what the STRUCT cannot hold",
}
_ATTRIBUTES: Final = {
    "attributes": "STRUCT of the keys that occur: `attributes['http.route']`; arrays and maps are JSON",
    "attributes_other": "JSON object of what the STRUCT cannot hold: values of another type, keys beyond the cap",
}
_WEIGHT: Final = {"sample_weight": "how many this one stands for; 1 when nothing was sampled away"}

VIEWS: Final = (
    View(
        "spans",
        "one span",
        {
            **_TRACE,
            "parent_span_id": "null for a root",
            **_SERVICE,
            "name": "name of the operation",
            "kind": "`SERVER` `CLIENT` `INTERNAL` `PRODUCER` `CONSUMER` `UNSPECIFIED`",
            "start_time": "TIMESTAMP_NS, UTC",
            "end_time": "TIMESTAMP_NS, UTC; null while unfinished",
            "start_time_ns": "the same in nanoseconds since the epoch; a filter on it skips files",
            "end_time_ns": "the same in nanoseconds since the epoch",
            "duration_ns": "nanoseconds; null while unfinished, negative when the sender's clock stepped",
            "status_code": "`UNSET` `OK` `ERROR`",
            "status_message": "what the sender said about an error",
            **_SCOPE,
            **_ATTRIBUTES,
            **_RESOURCE,
            "events": "list of STRUCTs, see `span_events`",
            "links": "list of STRUCTs, see `span_links`",
            "trace_state": "the W3C tracestate header",
            "flags": "W3C trace flags and OTLP's bits",
            "dropped_attributes_count": "attributes that the sender left out",
            "dropped_events_count": "events that the sender left out",
            "dropped_links_count": "links that the sender left out",
            **_WEIGHT,
        },
        "select name, count(*) as spans, quantile_cont(duration_ns, 0.99) / 1e6 as p99_ms\n"
        "from spans where kind = 'SERVER' group by 1 order by 3 desc",
    ),
    View(
        "logs",
        "one log record or log event",
        {
            "time": "TIMESTAMP_NS, UTC; the observed time where the sender gave none",
            "observed_time": "when the sender's logging saw it",
            "time_ns": "`time` in nanoseconds since the epoch; a filter on it skips files",
            **_TRACE,
            **_SERVICE,
            "severity_number": "1 to 24; 9 is INFO, 13 WARN, 17 ERROR",
            "severity_text": "as the sender wrote it",
            "body": "text as it is; any other body as JSON text",
            "body_type": "`string` `bool` `int` `double` `bytes` `array` `map`, null without a body",
            "event_name": "of log events",
            **_SCOPE,
            **_ATTRIBUTES,
            **_RESOURCE,
            "flags": "W3C trace flags",
            "dropped_attributes_count": "attributes that the sender left out",
            **_WEIGHT,
        },
        "select time, severity_text, body, trace_id from logs where severity_number >= 17 order by time",
    ),
    View(
        "metrics",
        "one data point of a metric of any kind",
        {
            "time": "TIMESTAMP_NS, UTC",
            "start_time": "since when a sum or histogram counts",
            "time_ns": "`time` in nanoseconds since the epoch; a filter on it skips files",
            "start_time_ns": "`start_time` in nanoseconds since the epoch",
            **_SERVICE,
            "name": "name of the metric",
            "description": "what the sender says it is",
            "unit": "in UCUM",
            "type": "`gauge` `sum` `histogram` `exponential_histogram` `summary`",
            "temporality": "`DELTA` `CUMULATIVE`, null where the type has none",
            "is_monotonic": "of sums",
            "value": "of gauges and sums",
            "value_int": "the exact value where the sender's was an integer",
            "count": "of histograms and summaries",
            "sum": "of histograms and summaries",
            "min": "of histograms",
            "max": "of histograms",
            "bounds": "upper bounds of a histogram's buckets, the last one, infinity, left out",
            "bucket_counts": "count of each bucket, one more than bounds",
            "scale": "of exponential histograms: bucket boundaries are powers of 2^(2^-scale)",
            "zero_count": "of exponential histograms",
            "zero_threshold": "of exponential histograms",
            "positive_offset": "index of the first positive bucket",
            "positive_bucket_counts": "of exponential histograms",
            "negative_offset": "index of the first negative bucket",
            "negative_bucket_counts": "of exponential histograms",
            "quantiles": "of summaries: list of STRUCT(quantile, value)",
            **_SCOPE,
            "attributes": "STRUCT: with name, service and scope the identity of the series",
            "attributes_other": "JSON object of what the STRUCT cannot hold",
            **_RESOURCE,
            "metadata": "JSON object",
            "flags": "1: no value was recorded",
        },
        "select time, service_instance_id, max from metrics where name = 'infersight.event_loop.lag' order by time",
    ),
    View(
        "exemplars",
        "one measurement kept with a metric, and the trace that it was made in",
        {
            "time": "TIMESTAMP_NS, UTC",
            "time_ns": "the same in nanoseconds since the epoch; a filter on it skips files",
            "metric_name": "name of the metric",
            "metric_type": "its type",
            **_SERVICE,
            "value": "the measurement",
            "value_int": "the exact value where it was an integer",
            **_TRACE,
            "attributes": "those that the series does not have",
            "attributes_other": "JSON object of what the STRUCT cannot hold",
            "point_attributes": "those of the series",
            "point_attributes_other": "JSON object of what the STRUCT cannot hold",
            "point_time": "time of the data point that carried it",
            **_RESOURCE,
        },
        "select value, trace_id from exemplars where metric_name = 'infersight.inference.duration'\n"
        "order by value desc limit 10",
    ),
    View(
        "span_events",
        "one event of a span",
        {
            **_TRACE,
            **_SERVICE,
            "span_name": "name of the span",
            "time": "TIMESTAMP_NS, UTC",
            "time_ns": "the same in nanoseconds since the epoch",
            "name": "name of the event; `exception` for exceptions",
            "attributes": "STRUCT of the keys that occur",
            "attributes_other": "JSON object of what the STRUCT cannot hold",
            "sample_weight": "how many spans like its own that one stands for",
        },
        "select attributes['exception.type'] as type, count(*) from span_events where name = 'exception' group by 1",
    ),
    View(
        "span_links",
        "one link from a span to another",
        {
            **_TRACE,
            "service_name": "of the span that has the link",
            "span_name": "name of the span that has the link",
            "linked_trace_id": "trace of the other span",
            "linked_span_id": "the other span",
            "attributes": "STRUCT of the keys that occur",
            "attributes_other": "JSON object of what the STRUCT cannot hold",
        },
        "select trace_id, linked_trace_id from span_links",
    ),
    View(
        "traces",
        "one trace",
        {
            "trace_id": "32 lower-case hex digits",
            "start_time": "start of its first span",
            "duration_ns": "from the start of its first span to the end of its last",
            "root_service": "service of the root; of the first span where the root is missing",
            "root_name": "name of the same span",
            "span_count": "number of spans",
            "error_count": "number of spans with the status `ERROR`",
            "services": "sorted list of the services in it",
            "end_time": "end of its last span, UTC",
            "start_time_ns": "`start_time` in nanoseconds since the epoch",
            "end_time_ns": "`end_time` in nanoseconds since the epoch",
            "has_root": "whether the root, a span without a parent, has come",
            "status_code": "`UNSET` `OK` `ERROR`, of the root, as for `root_service`",
            "sample_weight": "how many traces this one stands for; that of the root",
        },
        "select trace_id, duration_ns / 1e6 as ms, services from traces order by duration_ns desc limit 20",
    ),
    View(
        "predictions",
        "one prediction: a log event named `infersight.prediction`",
        {
            "time": "TIMESTAMP_NS, UTC",
            "time_ns": "the same in nanoseconds since the epoch",
            **_TRACE,
            **_SERVICE,
            "model_name": "`infersight.model.name`",
            "model_version": "`infersight.model.version`",
            "prediction_id": "`infersight.prediction.id`",
            "label": "`infersight.prediction.label`: what was predicted, as text",
            "confidence": "`infersight.prediction.confidence`, 0 to 1",
            "entropy": "`infersight.prediction.entropy`: of the probabilities, in nats",
            "error_type": "`error.type`, where the prediction failed",
            "label_true": "what was right, from the last `infersight.feedback` on the prediction, else on its trace; "
            "null until one arrives",
            "label_true_time": "when that arrived, UTC",
            **_ATTRIBUTES,
            **_WEIGHT,
        },
        "select model_version, count(*), avg((label = label_true)::int) as accuracy from predictions "
        "where label_true is not null group by model_version",
    ),
    View(
        "deployments",
        "one version of a service",
        {
            "service_name": "the service",
            "service_version": "the version; null where the sender gives none",
            "first_seen": "start of its first span",
            "last_seen": "start of its last span",
            "spans": "number of its spans",
        },
        "select * from deployments order by service_name, first_seen",
    ),
    View(
        "attribute_keys",
        "one attribute key that occurs, with its type",
        {
            "table_name": "`spans` `logs` `metrics` `exemplars`",
            "column_name": "the attribute column; `events.attributes` and `links.attributes` for those of spans",
            "key": "the key",
            "type": "its type in SQL",
        },
        "select key, type from attribute_keys where table_name = 'spans' and column_name = 'attributes'",
    ),
)
"""Every public view; a later one may build on earlier ones."""
