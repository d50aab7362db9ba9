"""The stock OpenTelemetry SDK for JavaScript with its stock exporters: each field of what it sends arrives."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.support.collectors import RunningCollector
from tests.support.foreign import npm_installed

pytestmark = pytest.mark.slow  # installs packages

SOURCE = Path(__file__).parent / "javascript"
REQUESTS = 300
TIME = 1_760_000_000_123_456_789
TRACE, SPAN = "0102030405060708090a0b0c0d0e0f10", "0102030405060708"
VALUES: dict[str, Any] = {
    "text": "Grüße 🚀",
    "empty": "",
    "yes": True,
    "no": False,
    "whole": 2**53 - 1,
    "negative": -7,
    "real": 0.1,
    "texts": '["a","b"]',
    "wholes": "[1,2]",
    "reals": "[0.5,1.5]",
    "flags": "[true,false]",
}


@pytest.fixture(scope="module", params=["grpc", "proto", "json"])
def service(collector: RunningCollector, request: pytest.FixtureRequest) -> str:
    """The service that has sent everything over one protocol, and whose last rows are in the store."""
    protocol: str = request.param
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    name = f"javascript-{protocol}"
    address = collector.grpc if protocol == "grpc" else collector.http
    command = [node, "emit.mjs", protocol, f"http://{address}", name, str(REQUESTS)]
    done = subprocess.run(command, cwd=npm_installed(SOURCE), check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    where = f"where service_name = '{name}'"
    collector.wait_for(f"select count(*) from spans {where}", 2 * REQUESTS + 6)
    collector.wait_for(f"select count(*) from logs {where}", REQUESTS + 1)
    collector.wait_for(f"select count(*) from metrics {where}", 6)
    return name


def columns(row: dict[str, Any], *names: str) -> dict[str, Any]:
    """Some columns of a row, null ones left out."""
    return {name: row[name] for name in names if row[name] is not None}


SOURCE_COLUMNS = ("service_version", "service_instance_id", "resource_attributes", "scope_name", "scope_version")


def source(service: str, scope: str, version: str) -> dict[str, Any]:
    resource = {"service.name": service, "service.version": "2.0", "service.instance.id": "i-1", "host.cpus": 4}
    return {
        "service_version": "2.0",
        "service_instance_id": "i-1",
        "resource_attributes": resource,
        "scope_name": scope,
        "scope_version": version,
    }


def test_spans_and_logs_are_joined_by_their_ids(collector: RunningCollector, service: str) -> None:
    assert collector.query(
        "select count(*) from spans child join spans parent on child.parent_span_id = parent.span_id "
        "and child.trace_id = parent.trace_id and child.attributes.number = parent.attributes.number "
        f"where parent.service_name = '{service}' and parent.kind = 'SERVER' and child.name = 'forward'"
    ) == [(REQUESTS,)]
    assert collector.query(
        "select count(*) from logs join spans using (trace_id, span_id, service_name) "
        f"where service_name = '{service}' and spans.name = 'forward' "
        "and logs.attributes.number = spans.attributes.number and logs.body = 'number ' || logs.attributes.number"
    ) == [(REQUESTS,)]


def test_every_field_of_a_span_arrives(collector: RunningCollector, service: str) -> None:
    (span,) = collector.rows(f"from spans where name = 'everything' and service_name = '{service}'")
    assert columns(span, *SOURCE_COLUMNS, "scope_schema_url") == {
        **source(service, "js-tracer", "1.2.3"),
        "scope_schema_url": "https://opentelemetry.io/schemas/1.40.0",
    }
    assert span["attributes"] == VALUES
    assert columns(span, "trace_id", "parent_span_id", "trace_state", "kind", "start_time_ns", "duration_ns") == {
        "trace_id": TRACE,
        "parent_span_id": SPAN,
        "trace_state": "k=v",
        "kind": "CONSUMER",
        "start_time_ns": TIME,
        "duration_ns": 10**9,
    }
    assert columns(span, "status_code", "status_message") == {"status_code": "ERROR", "status_message": "failed"}
    retry, exception = span["events"]
    assert retry == {"time_ns": TIME + 1, "name": "retry", "attributes": {"attempt": 2}}
    assert exception["time_ns"] == TIME + 2
    assert exception["attributes"]["exception.message"] == "no such label"
    (link,) = span["links"]
    assert columns(link, "trace_id", "span_id", "trace_state", "attributes") == {
        "trace_id": TRACE,
        "span_id": SPAN,
        "trace_state": "k=v",
        "attributes": {"why": "batch"},
    }
    kinds = f"select name, kind, status_code from spans where name like 'kind %' and service_name = '{service}'"
    assert sorted(collector.query(kinds)) == [
        (f"kind {kind}", kind, "OK") for kind in ("CLIENT", "CONSUMER", "INTERNAL", "PRODUCER", "SERVER")
    ]


def test_every_field_of_a_log_record_arrives(collector: RunningCollector, service: str) -> None:
    (log,) = collector.rows(f"from logs where event_name = 'label.rejected' and service_name = '{service}'")
    assert columns(log, *SOURCE_COLUMNS) == source(service, "js-logger", "4.5.6")
    assert log["attributes"] == {**VALUES, "map": '{"inner":{"deep":[1,"zwei"]}}', "bytes": b"\x01\x02"}
    fields = ("time_ns", "observed_time_ns", "trace_id", "span_id", "severity_number", "severity_text", "body_type")
    assert columns(log, *fields, "body", "flags") == {
        "time_ns": TIME,
        "observed_time_ns": TIME + 5,
        "trace_id": TRACE,
        "span_id": SPAN,
        "severity_number": 22,
        "severity_text": "FATAL2",
        "body_type": "map",
        "body": '{"said":"no","scores":[1,0.5,null],"raw":{"bytesValue":"AP8="}}',
        "flags": 1,
    }


def test_every_kind_of_metric_arrives(collector: RunningCollector, service: str) -> None:
    rows = {row["name"]: row for row in collector.rows(f"from metrics where service_name = '{service}'")}
    assert all(columns(row, *SOURCE_COLUMNS) == source(service, "js-meter", "7.8.9") for row in rows.values())
    assert all(0 < row["start_time_ns"] <= row["time_ns"] for row in rows.values())
    point = {"route": "/predict", "batch": 8, "cached": True}
    assert {name: row["attributes"] for name, row in rows.items()} == {
        **dict.fromkeys(["served", "waiting", "temperature", "memory", "sizes"], point),
        "latency": {"route": "/predict"},
    }
    fields = ("type", "unit", "description", "temporality", "is_monotonic", "value", "value_int", "count", "sum")
    of_histograms = ("min", "max", "bounds", "bucket_counts", "scale", "zero_count", "positive_offset")
    assert {name: columns(row, *fields, *of_histograms) for name, row in rows.items()} == {
        "served": {
            "type": "sum",
            "unit": "{request}",
            "description": "requests served",
            "temporality": "DELTA",
            "is_monotonic": True,
            "value": 3.0,
            "value_int": 3,
        },
        "waiting": {"type": "sum", "temporality": "CUMULATIVE", "is_monotonic": False, "value": -2.5},
        "temperature": {"type": "gauge", "unit": "Cel", "value": 71.5},
        "memory": {"type": "gauge", "unit": "By", "value": 1024.0},
        "latency": {
            "type": "histogram",
            "unit": "s",
            "temporality": "DELTA",
            "count": REQUESTS,
            "sum": pytest.approx(44.85),
            "min": 0.0,
            "max": 0.299,
            "bounds": [0.1, 0.2],
            "bucket_counts": [101, 100, 99],
        },
        "sizes": {
            "type": "exponential_histogram",
            "temporality": "DELTA",
            "count": 4,
            "sum": 1027.0,
            "min": 0.0,
            "max": 1024.0,
            "scale": 3,
            "zero_count": 1,
            "positive_offset": -1,
        },
    }
    # Base 2^(1/8): 1, 2 and 1024 are in the buckets 8 steps and 80 steps apart that end with them.
    buckets: list[int] = rows["sizes"]["positive_bucket_counts"]
    assert [index for index, count in enumerate(buckets) if count] == [0, 8, 80]
