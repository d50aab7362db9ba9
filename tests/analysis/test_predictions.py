"""The view of predictions, over what the SDK emits: names agree, and labels that arrive later are joined."""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# (duckdb and pyarrow publish no types)

from collections.abc import Generator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs

import infersight
from infersight import testing
from infersight_analysis import connect
from infersight_collector.decode import decode
from infersight_collector.signals import Signal
from infersight_collector.store.wal import Origin
from infersight_collector.store.writer import Store


def database_of(captured: testing.Captured, path: Path) -> duckdb.DuckDBPyConnection:
    """A store of what was captured, by the way that it takes through a collector."""
    request = bytes(encode_logs(captured.logs).SerializeToString())
    Store.open(path).write(decode(Signal.LOGS, request), Origin("test", 1))
    return connect(path)


@pytest.fixture
def predicted(tmp_path: Path) -> Generator[duckdb.DuckDBPyConnection]:
    @infersight.observe(model="sentiment", version="2")
    def classify() -> dict[str, float]:
        return {"positive": 0.75, "negative": 0.25}

    with testing.capture() as captured:
        with infersight.stage("right"):
            right = infersight.prediction(probabilities=classify(), input="good")
        with infersight.stage("wrong, by its trace"):
            infersight.prediction(label="positive", model="other")
        with infersight.stage("failed"):
            infersight.prediction(error=ValueError(), model="other")
        infersight.feedback(prediction_id=right, label="negative")
        infersight.feedback(prediction_id=right, label="positive")
        infersight.feedback(trace_id=f"{1:032x}", label="the prediction's own label counts")
        infersight.feedback(trace_id=f"{2:032x}", label="negative")
        infersight.feedback(trace_id="no such trace", label="x")
    with database_of(captured, tmp_path / "store") as connection:
        yield connection


def rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[Any]:
    return connection.execute(query).fetchall()


def test_what_the_sdk_emits_fills_the_columns(predicted: duckdb.DuckDBPyConnection) -> None:
    query = (
        "select model_name, model_version, label, confidence, round(entropy, 3), error_type, length(prediction_id) "
        "from predictions order by time_ns"
    )
    assert rows(predicted, query) == [
        ("sentiment", "2", "positive", 0.75, 0.562, None, 32),
        ("other", None, "positive", None, None, None, 32),
        ("other", None, None, None, None, "ValueError", 32),
    ]


def test_the_last_label_of_a_prediction_counts_then_that_of_its_trace(predicted: duckdb.DuckDBPyConnection) -> None:
    query = "select label, label_true, label_true_time > time from predictions order by time_ns"
    assert rows(predicted, query) == [
        ("positive", "positive", True),
        ("positive", "negative", True),
        (None, None, None),
    ]


def test_the_input_s_characterisation_can_be_asked_for(predicted: duckdb.DuckDBPyConnection) -> None:
    query = "select attributes['infersight.input.length'] from predictions where model_name = 'sentiment'"
    assert rows(predicted, query) == [(4,)]


def test_without_feedback_there_are_predictions_all_the_same(tmp_path: Path) -> None:
    with testing.capture() as captured:
        infersight.prediction(label="x")
    with database_of(captured, tmp_path / "store") as connection:
        assert rows(connection, "select label, label_true from predictions") == [("x", None)]
