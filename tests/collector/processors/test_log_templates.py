"""The processor `log_templates`: template and id on log records."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyarrow publishes no types.

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from tests.support.otlp_requests import spans_request

from infersight import _attributes as names  # pyright: ignore[reportPrivateUsage] - the one table of names
from infersight_collector.component import Batch, Surroundings
from infersight_collector.config import ConfigError, load
from infersight_collector.decode import decode
from infersight_collector.pipeline import KINDS
from infersight_collector.processors.log_templates import TEMPLATE, TEMPLATE_ID, LogTemplates
from infersight_collector.signals import Signal
from infersight_collector.telemetry import Telemetry
from infersight_collector.templates import template_id

USERS = ["ann", "bob", "cid", "dan"]
Attributes = Mapping[str, str]


def record(body: object, attributes: Attributes) -> LogRecord:
    value: AnyValue | None = None
    if isinstance(body, list):
        value = AnyValue(array_value=ArrayValue(values=[AnyValue(string_value=each) for each in body]))
    elif body is not None:
        value = AnyValue(string_value=str(body))
    pairs = [KeyValue(key=key, value=AnyValue(string_value=text)) for key, text in attributes.items()]
    return LogRecord(body=value, attributes=pairs)


def logs(*bodies: object, service: str = "api", attributes: Attributes | None = None) -> Batch:
    """A batch of records of one service, all with the same attributes."""
    resource = Resource(attributes=[KeyValue(key="service.name", value=AnyValue(string_value=service))])
    records = [record(body, attributes or {}) for body in bodies]
    request = ExportLogsServiceRequest(
        resource_logs=[
            ResourceLogs(resource=resource if service else None, scope_logs=[ScopeLogs(log_records=records)])
        ]
    )
    return Batch(Signal.LOGS, decode(Signal.LOGS, request.SerializeToString()))


def joined(*batches: Batch) -> Batch:
    tables = [batch.tables["logs"] for batch in batches]
    return Batch(Signal.LOGS, {"logs": pa.concat_tables(tables, promote_options="permissive").combine_chunks()})


def attributes_of(batch: Batch) -> list[dict[str, Any]]:
    rows = batch.tables["logs"]
    if "attributes" not in rows.column_names:
        return [{} for _ in range(rows.num_rows)]
    return [
        {key: value for key, value in (row or {}).items() if value is not None}
        for row in rows.column("attributes").to_pylist()
    ]


def templates(processor: LogTemplates, batch: Batch) -> list[str | None]:
    return [row.get(TEMPLATE) for row in attributes_of(processor.process(batch))]


@pytest.fixture
def surroundings(tmp_path: Path) -> Surroundings:
    return Surroundings(tmp_path / "components" / "log_templates", Telemetry())


def started(surroundings: Surroundings) -> LogTemplates:
    processor = LogTemplates()
    processor.start(surroundings)
    return processor


def test_the_names_are_those_of_the_table() -> None:
    assert (TEMPLATE, TEMPLATE_ID) == (names.LOG_TEMPLATE, names.LOG_TEMPLATE_ID)


def test_records_that_say_the_same_thing_have_one_template_and_one_id() -> None:
    processed = LogTemplates().process(logs(*(f"user {name} waited {i} ms" for i, name in enumerate(USERS))))
    expected = {TEMPLATE: "user <*> waited <*>", TEMPLATE_ID: template_id("api", "user <*> waited <*>")}
    assert attributes_of(processed) == [expected] * 4


def test_other_attributes_and_columns_stay() -> None:
    batch = logs("took 3 ms", attributes={"k": "v"})
    processed = LogTemplates().process(batch)
    (row,) = attributes_of(processed)
    assert row == {"k": "v", TEMPLATE: "took <*>", TEMPLATE_ID: template_id("api", "took <*>")}
    before, after = (part.tables["logs"].drop_columns("attributes") for part in (batch, processed))
    assert after.equals(before)


def test_services_have_templates_of_their_own() -> None:
    batch = joined(*(logs(f"user {name} came", service=name) for name in USERS))
    assert templates(LogTemplates(), batch) == [f"user {name} came" for name in USERS]
    ids = {row[TEMPLATE_ID] for row in attributes_of(LogTemplates().process(joined(logs("a"), logs("a", service=""))))}
    assert ids == {template_id("api", "a"), template_id("", "a")}


def test_records_without_text_have_no_template() -> None:
    batch = logs(None, "", ["a", "b"], "  ")
    assert LogTemplates().process(batch).tables["logs"].equals(batch.tables["logs"])


@pytest.mark.parametrize("key", ["message_template.text", "logfire.msg_template", "{OriginalFormat}"])
def test_the_template_that_a_sender_says_is_taken(key: str) -> None:
    given = logs("user ann waited long", attributes={key: "user {Name} waited %(time)s, %.2f or %-5d"})
    assert templates(LogTemplates(), given) == ["user <*> waited <*>, <*> or <*>"]


def test_a_record_that_has_an_id_keeps_it() -> None:
    first = LogTemplates().process(logs("model a is ready"))
    behind = LogTemplates()
    behind.process(logs(*(f"model {name} is ready" for name in USERS)))
    assert attributes_of(behind.process(first)) == attributes_of(first)


def test_batches_of_other_signals_and_empty_ones_pass_as_they_are() -> None:
    spans = Batch(Signal.TRACES, decode(Signal.TRACES, spans_request("a")))
    nothing = Batch(Signal.LOGS, decode(Signal.LOGS, b""))
    assert LogTemplates().process(spans) is spans
    assert LogTemplates().process(nothing) is nothing


def test_the_same_batch_again_has_the_same_templates(surroundings: Surroundings) -> None:
    batch = logs(*(f"user {name} came" for name in USERS), "model ready", "model gone")
    processor = started(surroundings)
    processed = processor.process(batch)
    assert processor.process(batch).tables["logs"].equals(processed.tables["logs"])
    assert started(surroundings).process(batch).tables["logs"].equals(processed.tables["logs"])


def test_what_was_learned_survives_the_process(surroundings: Surroundings) -> None:
    started(surroundings).process(logs(*(f"user {name} came" for name in USERS)))
    assert templates(started(surroundings), logs("user eva came")) == ["user <*> came"]
    assert templates(LogTemplates(), logs("user eva came")) == ["user eva came"]


def test_two_collectors_that_saw_the_same_in_another_order_agree() -> None:
    messages = [f"user {name} came" for name in USERS]
    one, other = LogTemplates(), LogTemplates()
    one.process(logs(*messages))
    other.process(logs(*reversed(messages)))
    of_one, of_other = (attributes_of(each.process(logs("user eva came"))) for each in (one, other))
    assert of_one == of_other


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"form":1,"services":{"api":[3]}}', b"\xff", b'{"form":1}'])
def test_a_damaged_file_is_no_reason_not_to_start(
    surroundings: Surroundings, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    surroundings.directory.mkdir(parents=True)
    (surroundings.directory / "templates.json").write_bytes(content)
    assert templates(started(surroundings), logs("took 3 ms")) == ["took <*>"]
    assert "log templates are learned anew" in caplog.text
    assert templates(started(surroundings), logs("took 3 ms")) == ["took <*>"]


def test_a_file_of_another_release_is_learned_anew(surroundings: Surroundings) -> None:
    surroundings.directory.mkdir(parents=True)
    (surroundings.directory / "templates.json").write_text(json.dumps({"form": 99, "services": 3}))
    assert templates(started(surroundings), logs("took 3 ms")) == ["took <*>"]


def test_a_disk_that_takes_nothing_stops_no_log_records(
    surroundings: Surroundings, caplog: pytest.LogCaptureFixture
) -> None:
    surroundings.directory.parent.mkdir(parents=True)
    surroundings.directory.write_text("a file where the directory should be")
    processor = LogTemplates()
    processor.start(surroundings)
    assert templates(processor, logs("took 3 ms")) == ["took <*>"]
    assert "cannot be kept" in caplog.text


def test_the_memory_for_one_service_and_for_all_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infersight_collector.templates.learned.MAX_TEMPLATES", 20)
    processor = LogTemplates(max_templates=5)
    for service in "abcdefgh":
        batch = logs(*(" ".join([word] * length) for word in USERS for length in range(1, 4)), service=service)
        processed = processor.process(batch)
        assert None not in [row.get(TEMPLATE) for row in attributes_of(processed)]
    miners = processor._learned._miners  # pyright: ignore[reportPrivateUsage]
    assert list(miners) == ["e", "f", "g", "h"]
    assert {len(miner) for miner in miners.values()} == {5}


@pytest.mark.parametrize("number", ["0", "10001"])
def test_a_number_of_templates_that_cannot_be_is_refused_with_its_line(number: str) -> None:
    text = (
        "receivers: {otlp: }\nexporters: {store: }\nprocessors:\n  log_templates:\n"
        f"    max_templates: {number}\n"
        "service:\n  pipelines:\n    logs: {receivers: [otlp], processors: [log_templates], exporters: [store]}\n"
    )
    with pytest.raises(ConfigError, match=r"file.yaml:5: max_templates is \d+: write a number from 1 to 10000"):
        load(text, "file.yaml", KINDS, {})
