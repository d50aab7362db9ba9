"""`infersight store export`: Parquet, OTLP and DuckDB files, and back."""

# pyright: reportUnknownVariableType=false

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_DELTA,
    Exemplar,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    Sum,
)
from tests.analysis.recording import API, MS, SECOND, T0, Recording, key_values, trace_id

VIEWS = ("spans", "logs", "metrics", "exemplars", "traces", "span_events", "attribute_keys")
OTHER = ("other", "other-1", None)
POINTS = 12_000
"""More than are read at once."""


def point(time_ns: int, **fields: Any) -> NumberDataPoint:
    return NumberDataPoint(time_unix_nano=T0 + time_ns, **fields)


def exemplar(trace: int, time_ns: int) -> Exemplar:
    return Exemplar(
        time_unix_nano=T0 + time_ns,
        as_double=0.5,
        trace_id=trace.to_bytes(16, "big"),
        span_id=b"\0" * 7 + b"\1",
        filtered_attributes=key_values({"user": "ada", "tags": ["x"]}),
    )


def histogram(name: str, time_ns: int, *exemplars: Exemplar) -> Metric:
    bucketed = HistogramDataPoint(
        time_unix_nano=T0 + time_ns, count=1, sum=0.5, explicit_bounds=[1.0], bucket_counts=[1, 0], exemplars=exemplars
    )
    return Metric(
        name=name, histogram=Histogram(data_points=[bucketed], aggregation_temporality=AGGREGATION_TEMPORALITY_DELTA)
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recording = Recording()
    facts = {
        "http.route": "/predict", "shape": [1, [2, None]], "nested": {"a": [True]}, "score": float("nan"),
        "n": 2**53 + 1, "raw": b"\0\xff", "User": 1, "user": "ß",
    }  # fmt: skip
    exception = {"exception.type": "ValueError", "sizes": [1, 2]}
    recording.span(1, 1, "POST /predict", 0, 50 * MS, kind="SERVER", attributes=facts)
    recording.span(1, 2, "infer", 5 * MS, 60 * MS, parent=1, error="no", events=[(7 * MS, "exception", exception)])
    recording.span(
        2, 1, "other", 3600 * SECOND, None, source=OTHER, attributes={"n": "text where others have a number"}
    )
    recording.log(6 * MS, "hello", trace=1, span=2, attributes={"user": "é", "list": [{}]})
    recording.log(3600 * SECOND, "elsewhere", source=OTHER)
    recording.metric(Metric(name="memory", unit="By", gauge=Gauge(data_points=[point(0, as_int=2**53 + 1)])))
    recording.metric(Metric(name="memory", unit="By", gauge=Gauge(data_points=[point(0, as_int=1)])), source=OTHER)
    recording.metric(histogram("duration", 10 * SECOND, exemplar(1, 20 * MS), exemplar(2, 30 * MS)))
    recording.metric(histogram("late", 600 * SECOND, exemplar(1, 40 * MS)))
    recording.metric(histogram("far", 601 * SECOND))
    many = [
        point(3600 * SECOND + number, as_double=number, exemplars=[exemplar(9, number)] if number % 100 == 0 else [])
        for number in range(POINTS)
    ]
    counter = Sum(data_points=many, aggregation_temporality=AGGREGATION_TEMPORALITY_DELTA, is_monotonic=True)
    recording.metric(Metric(name="many", sum=counter))
    return recording.write(tmp_path_factory.mktemp("export") / "store")


def rows(run: Any, store: Path, view: str) -> list[str]:
    """The rows of a view as text, each with its keys in order and without absent attributes, in order."""
    found = run("sql", f"from {view}", "--store", store).json
    return sorted(json.dumps(_without_nulls(row), sort_keys=True) for row in found)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        members: dict[str, Any] = value
        return {key: _without_nulls(member) for key, member in members.items() if member is not None}
    if isinstance(value, list):
        elements: list[Any] = value
        return [_without_nulls(element) for element in elements]
    return value


def test_otlp_comes_back_as_the_same_rows(store: Path, run: Any, tmp_path: Path) -> None:
    file, copy = tmp_path / "all.jsonl", tmp_path / "copy"
    assert run("store", "export", "--store", store, "--output", file).code == 0
    assert all(len(json.loads(line)) == 1 for line in file.read_text().splitlines())
    command = [sys.executable, "-m", "infersight_analysis", "import", "--store", str(copy), str(file)]
    subprocess.run(command, check=True, capture_output=True)
    for view in VIEWS:
        assert rows(run, copy, view) == rows(run, store, view), view
    assert run("sql", "select count(*) n from exemplars", "--store", copy).json == [{"n": 3 + POINTS // 100}]


def test_parquet_has_the_views_with_their_types(store: Path, run: Any, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    outcome = run("store", "export", "--store", store, "--output", folder)
    assert (outcome.code, outcome.out) == (0, "")
    with duckdb.connect() as plain:
        for view in ("spans", "traces", "logs", "metrics", "exemplars"):
            count = f"select count(*) as n from {view}"
            (read,) = plain.execute(f"select count(*) from read_parquet('{folder}/{view}/*.parquet')").fetchall()
            assert run("sql", count, "--store", store).json == [{"n": read[0]}]
        sql = (
            f"select typeof(start_time), attributes['http.route'] from '{folder}/spans/*.parquet' where kind = 'SERVER'"
        )
        assert plain.execute(sql).fetchall() == [("TIMESTAMP_NS", "/predict")]


def test_a_database_file_opens_without_this_package(store: Path, run: Any, tmp_path: Path) -> None:
    file = tmp_path / "ticket.duckdb"
    assert run("store", "export", "--store", store, "--output", file).code == 0
    script = f"""
import duckdb, json, sys
with duckdb.connect({str(file)!r}, read_only=True) as database:
    print(json.dumps([
        database.execute("select count(*) from metrics").fetchall(),
        database.execute("select attributes['http.route'] from spans where name = 'POST /predict'").fetchall(),
        database.execute("select span_count, services from traces order by trace_id").fetchall(),
        database.execute("select operation from waterfall('{trace_id(1)}')").fetchall(),
        [name for name in sys.modules if name.startswith("infersight")],
    ]))
"""
    answers = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert json.loads(answers) == [
        [[POINTS + 5]],
        [["/predict"]],
        [[2, ["api"]], [1, ["other"]]],
        [["POST /predict"], ["  infer"]],
        [],
    ]


def exported(run: Any, store: Path, file: Path, *options: str) -> dict[str, list[tuple[Any, ...]]]:
    assert run("store", "export", "--store", store, "--output", file, *options).code == 0
    queries = {
        "spans": "select name from spans order by 1",
        "logs": "select body from logs order by 1",
        "metrics": "select distinct name, service_name from metrics order by all",
        "exemplars": "select metric_name from exemplars order by 1",
        "traces": "select trace_id from traces",
    }
    with duckdb.connect(file, read_only=True) as database:
        return {name: database.execute(query).fetchall() for name, query in queries.items()}


def test_a_trace_takes_its_logs_and_exemplars_and_the_metrics_around_it_along(
    store: Path, run: Any, tmp_path: Path
) -> None:
    found = exported(run, store, tmp_path / "one.duckdb", "--trace", trace_id(1)[:-1] + "1")
    assert found == {
        "spans": [("POST /predict",), ("infer",)],
        "logs": [("hello",)],
        # That which carries an exemplar of the trace comes along although it is ten minutes later.
        "metrics": [("duration", API[0]), ("late", API[0]), ("memory", API[0])],
        "exemplars": [("duration",), ("late",)],
        "traces": [(trace_id(1),)],
    }


def test_a_time_leaves_out_the_rest(store: Path, run: Any, tmp_path: Path) -> None:
    found = exported(run, store, tmp_path / "hour.duckdb", "--start", "2025-10-09T09:00:00Z")
    assert (found["spans"], found["logs"], found["traces"]) == ([("other",)], [("elsewhere",)], [(trace_id(2),)])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--output", "{folder}/a.xml"], "give --format"),
        (["--output", "{folder}"], "exists: choose another name"),
        (["--output", "{folder}/a.duckdb", "--trace", "abc"], "no trace in this store begins with abc"),
        (["--output", "{folder}/absent/a.jsonl"], "cannot write"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    store: Path, run: Any, tmp_path: Path, arguments: list[str], says: str
) -> None:
    (tmp_path / "kept").touch()
    outcome = run("store", "export", "--store", store, *(argument.format(folder=tmp_path) for argument in arguments))
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert says in outcome.err
    assert list(tmp_path.iterdir()) == [tmp_path / "kept"]


def test_a_file_that_was_there_is_replaced_by_otlp_and_kept_by_a_database(
    store: Path, run: Any, tmp_path: Path
) -> None:
    (tmp_path / "a.jsonl").write_text("before")
    (tmp_path / "a.duckdb").write_text("before")
    assert run("store", "export", "--store", store, "--output", tmp_path / "a.jsonl").code == 0
    assert (tmp_path / "a.jsonl").read_text().startswith("{")
    assert run("store", "export", "--store", store, "--output", tmp_path / "a.duckdb").code == 2
    assert (tmp_path / "a.duckdb").read_text() == "before"
