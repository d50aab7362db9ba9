"""Tables of several batches become one."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

from pathlib import Path
from typing import Any

import pyarrow as pa
from tests.support.collectors import read_rows
from tests.support.traces import Span, batch_of, exemplars_request, spans_batch

from infersight_collector.component import Surroundings
from infersight_collector.decode import decode
from infersight_collector.encode import encode
from infersight_collector.exporters.store import StoreConfig, StoreExporter
from infersight_collector.gathering import gather
from infersight_collector.processors.span_metrics import SpanMetrics
from infersight_collector.processors.span_metrics.series import Dimension
from infersight_collector.signals import Signal
from infersight_collector.store.wal import Origin
from infersight_collector.telemetry import Telemetry


def table_of(**attributes: Any) -> pa.Table:
    return pa.table({"attributes": pa.array([attributes])})


def said_in(table: pa.Table) -> list[Any]:
    """The rows in the order of their columns' names, without nulls and what is empty."""
    return [_said(row) for row in table.to_pylist()]


def _said(value: Any) -> Any:
    if isinstance(value, dict):
        fields: dict[str, Any] = value
        said = {name: _said(field) for name, field in sorted(fields.items())}
        return {name: field for name, field in said.items() if field not in (None, {})}
    return value


def test_rows_of_one_layout_stand_behind_each_other() -> None:
    gathered = gather([table_of(a=1), table_of(a=2), table_of(a=3)], "metrics")
    assert gathered.to_pylist() == [{"attributes": {"a": number}} for number in (1, 2, 3)]


def test_keys_are_joined_and_values_of_other_types_stand_aside() -> None:
    gathered = gather([table_of(a=1, b="x"), table_of(a="one", c=True), table_of(a=1.5)], "metrics")
    assert gathered["attributes"].to_pylist() == [
        {"a": 1, "b": "x", "c": None},
        {"a": None, "b": None, "c": True},
        None,
    ]
    assert gathered["attributes_other"].to_pylist() == [None, '{"a":"one"}', '{"a":1.5}']


def test_the_store_takes_metrics_of_spans_beside_metrics_of_other_types(tmp_path: Path) -> None:
    exporter = StoreExporter(StoreConfig(str(tmp_path)), Surroundings(tmp_path / "store", Telemetry()))
    exporter.start()
    try:
        derived = SpanMetrics(dimensions=[Dimension("code")]).process(spans_batch(Span(1, attributes={"code": 200})))
        received = batch_of(Signal.METRICS, exemplars_request(1))
        text = received.tables["metrics"].append_column("attributes", pa.array([{"code": "200"}]))
        exporter.begin()
        exporter.consume(derived)
        exporter.consume(received.replaced({"metrics": text}))
        exporter.commit(Origin("writer", 1))
    finally:
        exporter.stop()
    rows = read_rows(tmp_path, "select name, attributes, attributes_other from metrics order by name")
    assert [row["name"] for row in rows] == ["requests", "traces.span.metrics.calls", "traces.span.metrics.duration"]
    assert (rows[1]["attributes"]["code"], rows[0]["attributes_other"]) == (200, '{"code":"200"}')
    assert len(read_rows(tmp_path, "select 1 from exemplars")) == 2
    assert len(read_rows(tmp_path, "select 1 from spans")) == 1


def test_metrics_of_spans_can_be_sent_on_with_their_exemplars() -> None:
    batch = SpanMetrics().process(spans_batch(Span(1, 5), Span(2, 70, resource={"service.name": "fraud"})))
    sent = decode(Signal.METRICS, b"".join(encode(Signal.METRICS, batch.tables)))
    for name in ("metrics", "exemplars"):
        assert sorted(map(str, said_in(sent[name]))) == sorted(map(str, said_in(batch.tables[name])))
        assert len(said_in(sent[name])) == {"metrics": 4, "exemplars": 2}[name]
