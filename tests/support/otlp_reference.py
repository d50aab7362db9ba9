"""The decoder's reference: google.protobuf's own parse, laid out by plain loops in the rows of `store.layout`.

It shares no code with the decoder. Rows are dicts, attribute STRUCTs are dicts of the keys that a row has.
"""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

import base64
import json
import math
import random
from collections import Counter
from collections.abc import Iterable
from typing import Any, cast

import pyarrow as pa
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict

from infersight_collector.decode.layout import REQUESTS
from infersight_collector.signals import Signal

MAX_INT = 2**63 - 1
KINDS = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]
TYPES = ["string_value", "bool_value", "int_value", "double_value", "array_value", "bytes_value"]

Row = dict[str, Any]


def dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def json_text(value: Any) -> str:
    """The JSON of an AnyValue; a map's repeated key is written as often as it occurs."""
    case = value.WhichOneof("value")
    match case:
        case "array_value":
            return f"[{','.join(json_text(item) for item in value.array_value.values)}]"
        case "kvlist_value":
            return object_text((pair.key, json_text(pair.value)) for pair in value.kvlist_value.values)
        case "bytes_value":
            return dumps({"bytesValue": base64.b64encode(value.bytes_value).decode()})
        case "double_value" if not math.isfinite(value.double_value):
            number = value.double_value
            return dumps({"doubleValue": "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"})
        case None | "string_value_strindex":
            return "null"
        case _:
            return dumps(getattr(value, case))


def object_text(pairs: Iterable[tuple[str, str]]) -> str:
    return "{" + ",".join(f"{dumps(key)}:{text}" for key, text in pairs) + "}"


def grouped(pairs: Iterable[Any]) -> str | None:
    """The JSON object of attributes; a repeated key has an array of its values."""
    found: dict[str, list[str]] = {}
    for pair in pairs:
        found.setdefault(pair.key, []).append(json_text(pair.value))
    members = ((key, texts[0] if len(texts) == 1 else f"[{','.join(texts)}]") for key, texts in found.items())
    return object_text(members) if found else None


def text_of(value: Any) -> str | None:
    """A string as it is, any other value as JSON."""
    if type_of(value) is None:
        return None
    return value.string_value if type_of(value) == "string_value" else json_text(value)


def type_of(value: Any) -> str | None:
    case = value.WhichOneof("value")
    return {"kvlist_value": "array_value", "string_value_strindex": None}.get(case, case)


def plain(value: Any) -> Any:
    case = value.WhichOneof("value")
    return json_text(value) if case in ("array_value", "kvlist_value") else getattr(value, case)


def attributes(name: str, records: list[Any]) -> list[Row]:
    """The columns `name` and `name_other` of records, each a list of KeyValues."""
    types: dict[str, Counter[str]] = {}
    for record in records:
        for pair in record:
            kind = type_of(pair.value)
            if kind and pair.key:
                types.setdefault(pair.key, Counter())[kind] += 1
    chosen = {key: max(TYPES, key=lambda kind: (counts[kind], -TYPES.index(kind))) for key, counts in types.items()}
    rows: list[Row] = []
    for record in records:
        struct: Row = {}
        other: list[Any] = []
        seen: set[str] = set()
        for pair in record:
            if pair.key not in seen and pair.key in chosen and type_of(pair.value) == chosen[pair.key]:
                struct[pair.key] = plain(pair.value)
            else:
                other.append(pair)
            seen.add(pair.key)
        rows.append({name: struct or None, f"{name}_other": grouped(other)})
    return rows


def hexed(value: bytes) -> str | None:
    return value.hex() if any(value) else None


def time(value: int) -> int | None:
    return min(value, MAX_INT) or None


def enum(value: int, names: list[str]) -> str:
    return names[value] if 0 <= value < len(names) else str(value)


def service(pairs: Any, key: str) -> str | None:
    return next((text_of(pair.value) for pair in pairs if pair.key == key), None)


def with_sources(resources: list[Any], scopes: str, records: str) -> list[tuple[Any, Row]]:
    """Each record with the columns of its resource and scope."""
    of_resources = attributes("resource_attributes", [resource.resource.attributes for resource in resources])
    every_scope = [scope for resource in resources for scope in getattr(resource, scopes)]
    of_scopes = iter(attributes("scope_attributes", [scope.scope.attributes for scope in every_scope]))
    found: list[tuple[Any, Row]] = []
    for resource, resource_attributes in zip(resources, of_resources, strict=True):
        refs = [MessageToDict(ref) for ref in resource.resource.entity_refs]
        pairs = resource.resource.attributes
        for scope in getattr(resource, scopes):
            source = {
                "service_name": service(pairs, "service.name"),
                "service_version": service(pairs, "service.version"),
                "service_instance_id": service(pairs, "service.instance.id"),
                **resource_attributes,
                "resource_dropped_attributes_count": resource.resource.dropped_attributes_count or None,
                "resource_entity_refs": dumps(refs) if refs else None,
                "resource_schema_url": resource.schema_url or None,
                "scope_name": scope.scope.name or None,
                "scope_version": scope.scope.version or None,
                **next(of_scopes),
                "scope_dropped_attributes_count": scope.scope.dropped_attributes_count or None,
                "scope_schema_url": scope.schema_url or None,
            }
            found += [(record, source) for record in getattr(scope, records)]
    return found


def span_rows(request: Any) -> list[Row]:
    spans = with_sources(list(request.resource_spans), "scope_spans", "spans")
    own = attributes("attributes", [span.attributes for span, _ in spans])
    of_events = iter(attributes("attributes", [event.attributes for span, _ in spans for event in span.events]))
    of_links = iter(attributes("attributes", [link.attributes for span, _ in spans for link in span.links]))
    return [
        {
            "trace_id": hexed(span.trace_id),
            "span_id": hexed(span.span_id),
            "parent_span_id": hexed(span.parent_span_id),
            "trace_state": span.trace_state or None,
            "flags": span.flags or None,
            "name": span.name or None,
            "kind": enum(span.kind, KINDS),
            "start_time_ns": time(span.start_time_unix_nano),
            "end_time_ns": time(span.end_time_unix_nano),
            "duration_ns": duration(span),
            "status_code": enum(span.status.code, ["UNSET", "OK", "ERROR"]),
            "status_message": span.status.message or None,
            **source,
            **attributes_of_span,
            "dropped_attributes_count": span.dropped_attributes_count or None,
            "events": [event_row(event) | next(of_events) for event in span.events] or None,
            "dropped_events_count": span.dropped_events_count or None,
            "links": [link_row(link) | next(of_links) for link in span.links] or None,
            "dropped_links_count": span.dropped_links_count or None,
            "sample_weight": 1.0,
        }
        for (span, source), attributes_of_span in zip(spans, own, strict=True)
    ]


def duration(span: Any) -> int | None:
    start, end = time(span.start_time_unix_nano), time(span.end_time_unix_nano)
    return None if start is None or end is None else end - start


def event_row(event: Any) -> Row:
    return {
        "time_ns": time(event.time_unix_nano),
        "name": event.name or None,
        "dropped_attributes_count": event.dropped_attributes_count or None,
    }


def link_row(link: Any) -> Row:
    return {
        "trace_id": hexed(link.trace_id),
        "span_id": hexed(link.span_id),
        "trace_state": link.trace_state or None,
        "flags": link.flags or None,
        "dropped_attributes_count": link.dropped_attributes_count or None,
    }


def log_rows(request: Any) -> list[Row]:
    logs = with_sources(list(request.resource_logs), "scope_logs", "log_records")
    own = attributes("attributes", [log.attributes for log, _ in logs])
    names = {"kvlist_value": "map", "string_value_strindex": None}
    return [
        {
            "time_ns": time(log.time_unix_nano) or time(log.observed_time_unix_nano),
            "observed_time_ns": time(log.observed_time_unix_nano),
            "trace_id": hexed(log.trace_id),
            "span_id": hexed(log.span_id),
            "flags": log.flags or None,
            "severity_number": log.severity_number or None,
            "severity_text": log.severity_text or None,
            "body": text_of(log.body),
            "body_type": names.get(case, case and case.removesuffix("_value")),
            "event_name": log.event_name or None,
            **source,
            **of_log,
            "dropped_attributes_count": log.dropped_attributes_count or None,
            "sample_weight": 1.0,
        }
        for (log, source), of_log in zip(logs, own, strict=True)
        for case in [log.body.WhichOneof("value")]
    ]


def metric_rows(request: Any) -> tuple[list[Row], list[Row]]:
    found = with_sources(list(request.resource_metrics), "scope_metrics", "metrics")
    points = [
        (metric, metric.WhichOneof("data"), point, source)
        for metric, source in found
        if metric.WhichOneof("data")
        for point in getattr(metric, metric.WhichOneof("data")).data_points
    ]
    own = attributes("attributes", [point.attributes for _, _, point, _ in points])
    rows = [
        {
            "time_ns": time(point.time_unix_nano),
            "start_time_ns": time(point.start_time_unix_nano),
            "name": metric.name or None,
            "description": metric.description or None,
            "unit": metric.unit or None,
            "metadata": grouped(metric.metadata),
            "type": kind,
            "flags": point.flags or None,
            **values(metric, kind, point),
            **source,
            **of_point,
        }
        for (metric, kind, point, source), of_point in zip(points, own, strict=True)
    ]
    return rows, exemplar_rows(points, own)


def values(metric: Any, kind: str, point: Any) -> Row:
    """The columns that only some types of metrics have; the others are null."""
    data = getattr(metric, kind)
    row: Row = {}
    if kind in ("sum", "histogram", "exponential_histogram"):
        row["temporality"] = enum(data.aggregation_temporality, ["UNSPECIFIED", "DELTA", "CUMULATIVE"])
    if kind == "sum":
        row["is_monotonic"] = data.is_monotonic
    if kind in ("gauge", "sum"):
        return row | number(point)
    row |= {"count": min(point.count, MAX_INT), "sum": point.sum}
    if kind == "summary":
        quantiles = [{"quantile": each.quantile, "value": each.value} for each in point.quantile_values]
        return row | {"quantiles": quantiles}
    row |= {name: getattr(point, name) if point.HasField(name) else None for name in ("sum", "min", "max")}
    if kind == "histogram":
        return row | {"bounds": list(point.explicit_bounds), "bucket_counts": counts(point.bucket_counts)}
    return row | {
        "scale": point.scale,
        "zero_count": min(point.zero_count, MAX_INT),
        "zero_threshold": point.zero_threshold,
        "positive_offset": point.positive.offset,
        "positive_bucket_counts": counts(point.positive.bucket_counts),
        "negative_offset": point.negative.offset,
        "negative_bucket_counts": counts(point.negative.bucket_counts),
    }


def counts(values: Any) -> list[int]:
    return [min(value, MAX_INT) for value in values]


def number(point: Any) -> Row:
    case = point.WhichOneof("value")
    if case == "as_int":
        return {"value": float(point.as_int), "value_int": point.as_int}
    return {"value": point.as_double if case else None, "value_int": None}


def exemplar_rows(points: list[Any], of_points: list[Row]) -> list[Row]:
    found = [
        (exemplar, metric, kind, point, source, of_point)
        for (metric, kind, point, source), of_point in zip(points, of_points, strict=True)
        if kind != "summary"
        for exemplar in point.exemplars
    ]
    own = attributes("attributes", [exemplar.filtered_attributes for exemplar, *_ in found])
    kept = ("service_name", "service_version", "service_instance_id", "resource_attributes", "scope_name")
    return [
        {
            "time_ns": time(exemplar.time_unix_nano),
            "metric_name": metric.name or None,
            "metric_type": kind,
            **number(exemplar),
            "trace_id": hexed(exemplar.trace_id),
            "span_id": hexed(exemplar.span_id),
            **of_exemplar,
            "point_time_ns": time(point.time_unix_nano),
            **{f"point_{name}": value for name, value in of_point.items()},
            **{name: source[name] for name in (*kept, "resource_attributes_other")},
        }
        for (exemplar, metric, kind, point, source, of_point), of_exemplar in zip(found, own, strict=True)
    ]


def expected_rows(signal: Signal, request: bytes) -> dict[str, list[Row]]:
    """The rows of a request that google.protobuf accepts, null columns left out, as comparable text."""
    message = REQUESTS[signal].FromString(request)
    if signal is Signal.TRACES:
        tables = {"spans": span_rows(message)}
    elif signal is Signal.LOGS:
        tables = {"logs": log_rows(message)}
    else:
        metrics, exemplars = metric_rows(message)
        tables = {"metrics": metrics, "exemplars": exemplars}
    return {name: [comparable(row) for row in rows] for name, rows in tables.items()}


def decoded_rows(tables: dict[str, pa.Table]) -> dict[str, list[Row]]:
    """The decoder's rows in the form of `expected_rows`."""
    return {name: [comparable(row) for row in table.to_pylist()] for name, table in tables.items()}


def comparable(value: Any) -> Any:
    """Rows as text, which tells 1 from 1.0 and True, and takes NaN for equal to itself; nulls are left out."""
    if isinstance(value, dict):
        row = cast("Row", value)
        kept = {key: comparable(each) for key, each in row.items() if each is not None}
        return {key: each for key, each in kept.items() if each != {}}
    if isinstance(value, list):
        return [comparable(each) for each in value]
    return repr(value)


KEYS = ["a", "b", "infersight.model.name", "service.name", "service.version", "", "schlüssel", "x" * 200]
TEXTS = ["", "\0", '"\\\n\x1f\t', "𝕦ñï", "y" * 130, "0", "POST /predict", "true"]
WHOLE = [0, 1, 2, 3, 4, 6, 17, 127, 128, 300, 2**31 - 1, 2**31, 2**32 - 1, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1]
REAL = [0.0, -0.0, 1.0, 0.1, -2.5e-300, 1e22, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, math.nan]
BITS = {1: 0, 4: 64, 6: 64, 3: 63, 16: 63, 13: 32, 7: 32, 5: 31, 14: 31, 17: 31}
"""For each integer type of a descriptor the bits of its greatest value; 64 and 32 are unsigned."""


def fill(message: Any, rng: random.Random, depth: int = 0) -> Any:
    """Set some of the fields of a message, deeper ones less often."""
    for field in message.DESCRIPTOR.fields:
        if field.is_repeated:
            for _ in range(element_count(rng, depth)):
                if field.message_type is None:
                    getattr(message, field.name).append(scalar(field, rng))
                else:
                    fill(getattr(message, field.name).add(), rng, depth + 1)
        elif field.message_type is None and rng.random() < 0.6:
            setattr(message, field.name, scalar(field, rng))
        elif field.message_type is not None and rng.random() < 0.7:
            getattr(message, field.name).SetInParent()
            fill(getattr(message, field.name), rng, depth + 1)
    return message


def element_count(rng: random.Random, depth: int) -> int:
    """Mostly one or more resources, scopes and records; few elements further down."""
    if depth < 3:
        return rng.choice([0, 1, 1, 1, 2, 2, 3])
    return rng.choice([0, 0, 1, 1, 2, 3]) if depth < 5 else rng.randrange(3) if depth < 9 else 0


def scalar(field: FieldDescriptor, rng: random.Random) -> Any:
    if field.type == FieldDescriptor.TYPE_STRING:
        return rng.choice(KEYS if field.name == "key" else TEXTS)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return rng.choice([b"", bytes(16), rng.randbytes(16), rng.randbytes(8), rng.randbytes(rng.randrange(6))])
    if field.type == FieldDescriptor.TYPE_BOOL:
        return rng.random() < 0.5
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return rng.choice([*REAL, rng.random()])
    bits = BITS[field.type]
    value = rng.choice([*WHOLE, rng.getrandbits(64)]) & ((1 << bits) - 1)
    return -value - 1 if bits in (31, 63) and rng.random() < 0.3 else value
