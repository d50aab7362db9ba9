"""The stored columns of each table: what decode produces, what the store keeps and what the views read.

Conventions:
- ids are lower-case hex strings; an absent id, text or number is null, never "" or 0 in its place;
- times are int64 nanoseconds since the epoch, UTC, named `*_ns` (Delta and Spark have no nanosecond timestamp);
- enumerations are the protobuf names without their prefix: `SERVER`, `ERROR`, `CUMULATIVE`;
- an attribute column `X` is a STRUCT of the keys that occur (absent when no key occurs), typed by
  `ATTRIBUTE_TYPES`; what does not fit (a value of another type than the key's, a repeated key, a key beyond the
  cap, an empty value) is in `X_other`, a JSON object in text;
- array and map values are JSON text in a STRUCT field that carries the metadata `JSON_FIELD`. Plain JSON wherever
  JSON can say it; what it cannot say is in OTLP/JSON's own form: `{"bytesValue": "<base64>"}` and
  `{"doubleValue": "NaN" | "Infinity" | "-Infinity"}`.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportUnknownLambdaType=false
# pyarrow publishes no types.

from typing import Final

import pyarrow as pa

SCHEMA_VERSION: Final = 1
"""Version of this layout; kept in the store's VERSION file."""

JSON_FIELD: Final = {b"infersight.type": b"json"}
"""Arrow field metadata that marks a text field of an attribute STRUCT as JSON (an OTLP array or map)."""

ATTRIBUTE_TYPES: Final[dict[str, pa.DataType]] = {
    "string": pa.string(),
    "bool": pa.bool_(),
    "int": pa.int64(),
    "double": pa.float64(),
    "bytes": pa.binary(),
    "json": pa.string(),
}
"""Arrow type of an attribute's STRUCT field by the kind of its OTLP value; arrays and maps are `json`."""

ATTRIBUTE_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "spans": ("attributes", "resource_attributes", "scope_attributes"),
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

TIME_COLUMN: Final = {"spans": "start_time_ns", "logs": "time_ns", "metrics": "time_ns", "exemplars": "time_ns"}
"""The column that places a row in time."""

_SOURCE: Final = [
    ("service_name", pa.string()),
    ("service_version", pa.string()),
    ("service_instance_id", pa.string()),
    ("resource_attributes_other", pa.string()),
    ("resource_dropped_attributes_count", pa.int64()),
    ("resource_entity_refs", pa.string()),  # JSON array, as in OTLP/JSON
    ("resource_schema_url", pa.string()),
    ("scope_name", pa.string()),
    ("scope_version", pa.string()),
    ("scope_attributes_other", pa.string()),
    ("scope_dropped_attributes_count", pa.int64()),
    ("scope_schema_url", pa.string()),
]

COLUMNS: Final[dict[str, pa.Schema]] = {
    "spans": pa.schema(
        [
            ("trace_id", pa.string()),
            ("span_id", pa.string()),
            ("parent_span_id", pa.string()),
            ("trace_state", pa.string()),
            ("flags", pa.int64()),
            ("name", pa.string()),
            ("kind", pa.string()),  # UNSPECIFIED INTERNAL SERVER CLIENT PRODUCER CONSUMER
            ("start_time_ns", pa.int64()),
            ("end_time_ns", pa.int64()),
            ("duration_ns", pa.int64()),  # null while end_time is absent; negative when the sender's clock stepped
            ("status_code", pa.string()),  # UNSET OK ERROR
            ("status_message", pa.string()),
            *_SOURCE,
            ("attributes_other", pa.string()),
            ("dropped_attributes_count", pa.int64()),
            # elements: time_ns, name, attributes, attributes_other, dropped_attributes_count
            ("dropped_events_count", pa.int64()),
            # elements: trace_id, span_id, trace_state, flags, attributes, attributes_other, dropped_attributes_count
            ("dropped_links_count", pa.int64()),
            ("sample_weight", pa.float64()),  # how many requests this one stands for; 1 when nothing was sampled away
        ]
    ),
    "logs": pa.schema(
        [
            ("time_ns", pa.int64()),  # the observed time where the sender gave no time
            ("observed_time_ns", pa.int64()),
            ("trace_id", pa.string()),
            ("span_id", pa.string()),
            ("flags", pa.int64()),
            ("severity_number", pa.int32()),
            ("severity_text", pa.string()),
            ("body", pa.string()),  # text as it is; any other body as JSON, see body_type
            ("body_type", pa.string()),  # string bool int double bytes array map, null without a body
            ("event_name", pa.string()),
            *_SOURCE,
            ("attributes_other", pa.string()),
            ("dropped_attributes_count", pa.int64()),
            ("sample_weight", pa.float64()),
        ]
    ),
    "metrics": pa.schema(
        [  # one row a data point
            ("time_ns", pa.int64()),
            ("start_time_ns", pa.int64()),
            ("name", pa.string()),
            ("description", pa.string()),
            ("unit", pa.string()),
            ("metadata", pa.string()),  # JSON object
            ("type", pa.string()),  # gauge sum histogram exponential_histogram summary
            ("temporality", pa.string()),  # UNSPECIFIED DELTA CUMULATIVE, null where the type has none
            ("is_monotonic", pa.bool_()),  # of sums
            ("flags", pa.int64()),
            ("value", pa.float64()),  # of gauges and sums, integers too
            ("value_int", pa.int64()),  # the exact value where the sender's was an integer
            ("count", pa.int64()),
            ("sum", pa.float64()),
            ("min", pa.float64()),
            ("max", pa.float64()),
            ("bounds", pa.list_(pa.float64())),
            ("bucket_counts", pa.list_(pa.int64())),
            ("scale", pa.int32()),
            ("zero_count", pa.int64()),
            ("zero_threshold", pa.float64()),
            ("positive_offset", pa.int32()),
            ("positive_bucket_counts", pa.list_(pa.int64())),
            ("negative_offset", pa.int32()),
            ("negative_bucket_counts", pa.list_(pa.int64())),
            ("quantiles", pa.list_(pa.struct([("quantile", pa.float64()), ("value", pa.float64())]))),
            *_SOURCE,
            ("attributes_other", pa.string()),
        ]
    ),
    "exemplars": pa.schema(
        [
            ("time_ns", pa.int64()),
            ("metric_name", pa.string()),
            ("metric_type", pa.string()),
            ("value", pa.float64()),
            ("value_int", pa.int64()),
            ("trace_id", pa.string()),
            ("span_id", pa.string()),
            ("attributes_other", pa.string()),  # `attributes` are the exemplar's own (filtered) attributes
            ("point_time_ns", pa.int64()),
            ("point_attributes_other", pa.string()),  # `point_attributes` are those of its data point, the series' key
            ("service_name", pa.string()),
            ("service_version", pa.string()),
            ("service_instance_id", pa.string()),
            ("resource_attributes_other", pa.string()),
            ("scope_name", pa.string()),
        ]
    ),
}
"""The columns of fixed type. Attribute columns and `events`/`links` come with the keys of the data, see above."""
