"""The columns of each table: what decode produces, what the store keeps and what the views read.

Conventions:
- ids are lower-case hex strings; an absent id, text or number is null, never "" or 0 in its place;
- times are int64 nanoseconds since the epoch, UTC, named `*_ns` (Delta and Spark have no nanosecond timestamp);
- enumerations are the protobuf names without their prefix: `SERVER`, `ERROR`, `CUMULATIVE`;
- an attribute column `X` is a STRUCT of the keys that occur (absent when no key occurs), typed by
  `schema.ATTRIBUTE_TYPES`; what does not fit (a value of another type than the key's, a repeated key, a key beyond the
  cap, an empty value) is in `X_other`, a JSON object in text;
- array and map values are JSON text in a STRUCT field that carries the metadata `JSON_MARK`. Plain JSON wherever
  JSON can say it; what it cannot say is in OTLP/JSON's own form: `{"bytesValue": "<base64>"}` and
  `{"doubleValue": "NaN" | "Infinity" | "-Infinity"}`.
"""

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias, TypedDict, final


@final
class Struct(TypedDict):
    """A type with fields of its own."""

    fields: "Sequence[Field]"


@final
class Array(TypedDict):
    """A list."""

    elementType: "Type"


class Field(TypedDict):
    """A column, or a field of one."""

    name: str
    type: "Type"
    metadata: Mapping[str, str]


Type: TypeAlias = str | Struct | Array
"""A column's type as the schema in a Delta log says it, in JSON: a name or a structure."""

SCHEMA_VERSION: Final = 2
"""Version of this layout; kept in the store's VERSION file."""

JSON_MARK: Final = ("infersight.type", "json")
"""Key and value of the metadata that marks a text field of an attribute STRUCT as JSON (an OTLP array or map)."""

ATTRIBUTE_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "spans": ("attributes", "resource_attributes", "scope_attributes"),
    "traces": (),
    "logs": ("attributes", "resource_attributes", "scope_attributes"),
    "metrics": ("attributes", "resource_attributes", "scope_attributes"),
    "exemplars": ("attributes", "point_attributes", "resource_attributes"),
}
"""The attribute columns of each table; each `X` has its `X_other` beside it."""

NESTED_ATTRIBUTES: Final[dict[str, tuple[str, ...]]] = {"spans": ("events", "links")}
"""List columns whose STRUCT elements have an `attributes` field (and `attributes_other`) of their own."""

SERVICE_COLUMNS: Final = {
    "service.name": "service_name",
    "service.version": "service_version",
    "service.instance.id": "service_instance_id",
}
"""Resource attributes that are columns as well."""

PARTITIONS: Final = ("date", "hour")
"""Partition columns, added by the store from the table's time column: `YYYY-MM-DD` and `HH`, both text, UTC."""

UNPLACED_DATE: Final = "unplaced"
"""What stands for the date where rows without a credible time are."""

TIME_COLUMN: Final = {
    "spans": "start_time_ns",
    "traces": "start_time_ns",
    "logs": "time_ns",
    "metrics": "time_ns",
    "exemplars": "time_ns",
}
"""The column that places a row in time, for each table. The tables are in the order in which readers open them, the
reverse of that in which a write reaches them: who sees a span sees its trace's summary, its logs and exemplars, too."""

_SOURCE: Final = {
    "service_name": "string",
    "service_version": "string",
    "service_instance_id": "string",
    "resource_attributes_other": "string",
    "resource_dropped_attributes_count": "long",
    "resource_entity_refs": "string",  # JSON array, as in OTLP/JSON
    "resource_schema_url": "string",
    "scope_name": "string",
    "scope_version": "string",
    "scope_attributes_other": "string",
    "scope_dropped_attributes_count": "long",
    "scope_schema_url": "string",
}

_QUANTILE: Final = Struct(
    fields=[Field(name=name, type="double", metadata={}) for name in ("quantile", "value")],
)

COLUMN_TYPES: Final[dict[str, dict[str, Type]]] = {
    "spans": {
        "trace_id": "string",
        "span_id": "string",
        "parent_span_id": "string",
        "trace_state": "string",
        "flags": "long",
        "name": "string",
        "kind": "string",  # UNSPECIFIED INTERNAL SERVER CLIENT PRODUCER CONSUMER
        "start_time_ns": "long",
        "end_time_ns": "long",  # stored only where it is not start and duration, see `redundancy`
        "duration_ns": "long",  # null while end_time is absent; negative when the sender's clock stepped
        "status_code": "string",  # UNSET OK ERROR
        "status_message": "string",
        **_SOURCE,
        "attributes_other": "string",
        "dropped_attributes_count": "long",
        # elements: time_ns, name, attributes, attributes_other, dropped_attributes_count
        "dropped_events_count": "long",
        # elements: trace_id, span_id, trace_state, flags, attributes, attributes_other, dropped_attributes_count
        "dropped_links_count": "long",
        "sample_weight": "double",  # how many requests this one stands for; 1 when nothing was sampled away
    },
    "traces": {  # what the spans of one trace in one partition come to, in one or more rows; see `summaries`
        "trace_id": "string",
        "start_time_ns": "long",
        "end_time_ns": "long",  # as for spans
        "duration_ns": "long",
        "root_missing": "boolean",  # whether the span that these columns describe has a parent
        "root_delay_ns": "long",  # its start, after that of the trace
        "root_service": "string",
        "root_name": "string",
        "status_code": "string",  # of the root, as is the weight
        "sample_weight": "double",
        "span_count": "long",
        "error_count": "long",
        "services": Array(elementType="string"),  # distinct, sorted
    },
    "logs": {
        "time_ns": "long",  # the observed time where the sender gave no time
        "observed_time_ns": "long",  # stored only where it is not time and delay, see `redundancy`
        "observed_delay_ns": "long",
        "trace_id": "string",
        "span_id": "string",
        "flags": "long",
        "severity_number": "integer",
        "severity_text": "string",
        "body": "string",  # text as it is; any other body as JSON, see body_type
        "body_type": "string",  # string bool int double bytes array map, null without a body
        "event_name": "string",
        **_SOURCE,
        "attributes_other": "string",
        "dropped_attributes_count": "long",
        "sample_weight": "double",
    },
    "metrics": {  # one row a data point
        "time_ns": "long",
        "start_time_ns": "long",
        "name": "string",
        "description": "string",
        "unit": "string",
        "metadata": "string",  # JSON object
        "type": "string",  # gauge sum histogram exponential_histogram summary
        "temporality": "string",  # UNSPECIFIED DELTA CUMULATIVE, null where the type has none
        "is_monotonic": "boolean",  # of sums
        "flags": "long",
        "value": "double",  # of gauges and sums, integers too
        "value_int": "long",  # the exact value where the sender's was an integer
        "count": "long",
        "sum": "double",
        "min": "double",
        "max": "double",
        "bounds": Array(elementType="double"),
        "bucket_counts": Array(elementType="long"),
        "scale": "integer",
        "zero_count": "long",
        "zero_threshold": "double",
        "positive_offset": "integer",
        "positive_bucket_counts": Array(elementType="long"),
        "negative_offset": "integer",
        "negative_bucket_counts": Array(elementType="long"),
        "quantiles": Array(elementType=_QUANTILE),
        **_SOURCE,
        "attributes_other": "string",
    },
    "exemplars": {
        "time_ns": "long",
        "metric_name": "string",
        "metric_type": "string",
        "value": "double",
        "value_int": "long",
        "trace_id": "string",
        "span_id": "string",
        "attributes_other": "string",  # `attributes` are the exemplar's own (filtered) attributes
        "point_time_ns": "long",
        "point_attributes_other": "string",  # `point_attributes` are those of its data point, the series' key
        "service_name": "string",
        "service_version": "string",
        "service_instance_id": "string",
        "resource_attributes_other": "string",
        "scope_name": "string",
    },
}
"""The stored columns of fixed type, with Delta's names of their types. Attribute columns and `events`/`links` come with
the keys of the data, see above."""

STORE_ONLY: Final = {"logs": ("observed_delay_ns",)}
"""Columns that rows get when they are stored; the whole table `traces` is made then, too."""
