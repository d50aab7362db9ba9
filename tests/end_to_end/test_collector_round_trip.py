"""Every field of every signal, sent through a real collector and read back from the files of its store."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# A value in OTLP is of any type, at every depth.

import json
import math
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    EntityRef,
    InstrumentationScope,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.logs.v1.logs_pb2 import SEVERITY_NUMBER_WARN2, LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status
from tests.support.collectors import RunningCollector
from tests.support.otlp_senders import GrpcSender

from infersight_collector.signals import Signal

Row = dict[str, Any]

NOW = 1_760_000_000_123_456_789
TRACE, SPAN, PARENT = bytes(range(1, 17)), bytes(range(1, 9)), bytes(range(11, 19))
MAX, MIN = 2**63 - 1, -(2**63)


def any_value(value: Any) -> AnyValue:  # noqa: PLR0911 - one for each kind of value
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case bytes():
            return AnyValue(bytes_value=value)
        case list():
            return AnyValue(array_value=ArrayValue(values=[any_value(item) for item in value]))
        case dict():
            return AnyValue(kvlist_value=KeyValueList(values=attributes(value)))
        case _:
            return AnyValue()


def attributes(values: Row) -> list[KeyValue]:
    return [KeyValue(key=key, value=any_value(value)) for key, value in values.items()]


PLAIN: Row = {
    "text": "Grüße 🚀\u0000end",
    "empty text": "",
    "yes": True,
    "no": False,
    "largest": MAX,
    "smallest": MIN,
    "pi": 3.141592653589793,
    "infinite": math.inf,
    "bytes": b"\x00\xff\xfe",
    "no bytes": b"",
}
NESTED: Row = {
    "list": [1, "zwei", [True, [2.5]], {"k": MIN}],
    "map": {"a": {"b": [{}, []]}, "ü": None},
    "empty list": [],
    "empty map": {},
    "bytes inside": [b"\x01", math.nan],
}
EVERY_KIND = {**PLAIN, **NESTED, "nothing": None}

RESOURCE = Resource(
    attributes=attributes({"service.name": "prüfung", "service.version": "1.2", "service.instance.id": "i-1", "n": 7}),
    dropped_attributes_count=3,
    entity_refs=[EntityRef(schema_url="e", type="service", id_keys=["service.name"], description_keys=["n"])],
)
SCOPE = InstrumentationScope(name="scope", version="0.1", attributes=attributes({"s": "t"}), dropped_attributes_count=4)
SOURCE = {
    "service_name": "prüfung",
    "service_version": "1.2",
    "service_instance_id": "i-1",
    "resource_attributes": {
        "service.name": "prüfung",
        "service.version": "1.2",
        "service.instance.id": "i-1",
        "n": 7,
    },
    "resource_attributes_other": None,
    "resource_dropped_attributes_count": 3,
    "resource_schema_url": "https://resource",
    "scope_name": "scope",
    "scope_version": "0.1",
    "scope_attributes": {"s": "t"},
    "scope_attributes_other": None,
    "scope_dropped_attributes_count": 4,
    "scope_schema_url": "https://scope",
}
ENTITY_REFS = [{"schemaUrl": "e", "type": "service", "idKeys": ["service.name"], "descriptionKeys": ["n"]}]


def assert_row(row: Row, expected: Row) -> None:
    """Every column is as expected, and there is no other one."""
    found = {name: value for name, value in row.items() if name not in {"date", "hour", "resource_entity_refs"}}
    assert found == expected
    if "resource_entity_refs" in row:
        assert json.loads(str(row["resource_entity_refs"])) == ENTITY_REFS


def assert_every_kind(stored: Row, other: str | None) -> None:
    """A stored STRUCT and its overflow hold the attributes `EVERY_KIND`."""
    assert {key: stored[key] for key in PLAIN} == PLAIN
    texts = {key: json.loads(str(stored[key])) for key in NESTED}
    assert texts["bytes inside"] == [{"bytesValue": "AQ=="}, {"doubleValue": "NaN"}]
    assert texts["map"] == {"a": {"b": [{}, []]}, "ü": None}
    assert {key: texts[key] for key in ("list", "empty list", "empty map")} == {
        "list": NESTED["list"],
        "empty list": [],
        "empty map": {},
    }
    assert other is not None
    assert json.loads(other) == {"nothing": None}
    assert set(stored) == {*PLAIN, *NESTED}


@pytest.fixture(scope="module")
def sender(collector: RunningCollector) -> GrpcSender:
    return GrpcSender(collector.grpc)


def test_every_field_of_a_span_arrives(collector: RunningCollector, sender: GrpcSender) -> None:
    span = Span(
        trace_id=TRACE,
        span_id=SPAN,
        trace_state="vendor=1",
        parent_span_id=PARENT,
        flags=0x301,
        name="näme",
        kind=Span.SPAN_KIND_PRODUCER,
        start_time_unix_nano=NOW,
        end_time_unix_nano=NOW + 1_000_001,
        attributes=attributes(EVERY_KIND),
        dropped_attributes_count=5,
        events=[
            Span.Event(time_unix_nano=NOW + 1, name="ev", attributes=attributes({"e": 1}), dropped_attributes_count=6),
            Span.Event(time_unix_nano=NOW + 2, name="bare"),
        ],
        dropped_events_count=7,
        links=[
            Span.Link(
                trace_id=TRACE[::-1],
                span_id=PARENT,
                trace_state="x=y",
                attributes=attributes({"l": "m"}),
                dropped_attributes_count=8,
                flags=1,
            )
        ],
        dropped_links_count=9,
        status=Status(code=Status.STATUS_CODE_ERROR, message="schief"),
    )
    scope = ScopeSpans(scope=SCOPE, spans=[span], schema_url="https://scope")
    resource = ResourceSpans(resource=RESOURCE, scope_spans=[scope], schema_url="https://resource")
    request = ExportTraceServiceRequest(resource_spans=[resource]).SerializeToString()
    assert sender.send(Signal.TRACES, request) == b""
    collector.wait_for("select count(*) from spans", 1)
    (row,) = collector.rows("from spans")
    assert_every_kind(row.pop("attributes"), row.pop("attributes_other"))
    events, links = row.pop("events"), row.pop("links")
    assert events == [
        {"time_ns": NOW + 1, "name": "ev", "attributes": {"e": 1}, "dropped_attributes_count": 6},
        {"time_ns": NOW + 2, "name": "bare", "attributes": {}},
    ]
    assert links == [
        {
            "trace_id": TRACE[::-1].hex(),
            "span_id": PARENT.hex(),
            "trace_state": "x=y",
            "flags": 1,
            "attributes": {"l": "m"},
            "dropped_attributes_count": 8,
        }
    ]
    assert_row(
        row,
        {
            "trace_id": TRACE.hex(),
            "span_id": SPAN.hex(),
            "parent_span_id": PARENT.hex(),
            "trace_state": "vendor=1",
            "flags": 0x301,
            "name": "näme",
            "kind": "PRODUCER",
            "start_time_ns": NOW,
            "end_time_ns": NOW + 1_000_001,
            "duration_ns": 1_000_001,
            "status_code": "ERROR",
            "status_message": "schief",
            **SOURCE,
            "dropped_attributes_count": 5,
            "dropped_events_count": 7,
            "dropped_links_count": 9,
            "sample_weight": 1.0,
        },
    )


def test_every_field_of_a_log_record_arrives(collector: RunningCollector, sender: GrpcSender) -> None:
    record = LogRecord(
        time_unix_nano=NOW,
        observed_time_unix_nano=NOW + 5,
        severity_number=SEVERITY_NUMBER_WARN2,
        severity_text="WARNING",
        body=any_value({"message": "längst", "codes": [1, {"n": None}]}),
        attributes=attributes(EVERY_KIND),
        dropped_attributes_count=2,
        flags=1,
        trace_id=TRACE,
        span_id=SPAN,
        event_name="device.blocked",
    )
    bodies: list[Any] = ["text", True, MAX, 0.5, b"\x00\x01", [1, "a"], {}, None]
    others = [
        LogRecord(time_unix_nano=NOW, body=any_value(body), event_name=f"body {number}")
        for number, body in enumerate(bodies)
    ]
    scope = ScopeLogs(scope=SCOPE, log_records=[record, *others], schema_url="https://scope")
    resource = ResourceLogs(resource=RESOURCE, scope_logs=[scope], schema_url="https://resource")
    request = ExportLogsServiceRequest(resource_logs=[resource]).SerializeToString()
    assert sender.send(Signal.LOGS, request, compress=True) == b""
    collector.wait_for("select count(*) from logs", 9)
    (row,) = collector.rows("from logs where event_name = 'device.blocked'")
    assert_every_kind(row.pop("attributes"), row.pop("attributes_other"))
    body = row.pop("body")
    assert isinstance(body, str)
    assert json.loads(body) == {"message": "längst", "codes": [1, {"n": None}]}
    assert_row(
        row,
        {
            "time_ns": NOW,
            "observed_time_ns": NOW + 5,
            "trace_id": TRACE.hex(),
            "span_id": SPAN.hex(),
            "flags": 1,
            "severity_number": 14,
            "severity_text": "WARNING",
            "body_type": "map",
            "event_name": "device.blocked",
            **SOURCE,
            "dropped_attributes_count": 2,
            "sample_weight": 1.0,
        },
    )
    stored = collector.query("select body, body_type from logs where event_name like 'body %' order by event_name")
    assert stored == [
        ("text", "string"),
        ("true", "bool"),
        (str(MAX), "int"),
        ("0.5", "double"),
        (stored[4][0], "bytes"),
        (stored[5][0], "array"),
        ("{}", "map"),
        (None, None),
    ]
    assert json.loads(stored[4][0]) == {"bytesValue": "AAE="}
    assert json.loads(stored[5][0]) == [1, "a"]
