"""Results as Arrow, pandas and Polars; the pages about that and about copies, and the notebook, run as they stand."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# (pyarrow and nbformat publish no type information)

import re
import shlex
from collections.abc import Callable, Generator
from itertools import takewhile
from pathlib import Path
from typing import Any

import duckdb
import nbformat
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from nbclient import NotebookClient
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    Histogram,
    HistogramDataPoint,
    Metric,
)
from tests.analysis.recording import MS, SECOND, T0, Recording
from tests.support.pages import examples

from infersight_analysis import connect
from infersight_analysis.report.results import FORMATS
from infersight_analysis.views import VIEWS

DOCS = Path(__file__).parents[2] / "analysis" / "docs"
TRACE = int("0af7651916cd43dd8448eb211c80319c", 16)
"""The trace that the pages ask for."""

QUERY = (
    "select start_time, start_time_ns, attributes, attributes['shape'] as shape, events, "
    "case when status_code = 'ERROR' then 9007199254740993 end as large from spans order by start_time_ns"
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five minutes of requests with a slow and failing part, and a histogram of their durations."""
    recording = Recording()
    recording.span(TRACE, 1, "GET /", 1, 5 * MS, kind="SERVER", error="no", attributes={"shape": [1, 2], "n": 1})
    for number in range(1, 150):
        begun, duration = number * 2 * SECOND, (20 + number % 7 * 10) * MS * (10 if 50 < number < 70 else 1)
        facts = {"http.route": "/predict", "batch": number % 4}
        failed = "no" if number % 30 == 0 else None
        recording.span(number, 1, "POST /predict", begun, duration, kind="SERVER", error=failed, attributes=facts)
        recording.span(number, 2, "infer", begun + 5 * MS, duration - 10 * MS, parent=1)
        recording.span(number, 3, "forward", begun + 8 * MS, duration - 15 * MS, parent=2)
        recording.log(begun, "done", trace=number, span=1)
    points = [
        HistogramDataPoint(
            start_time_unix_nano=T0,
            time_unix_nano=T0 + step * 10 * SECOND,
            count=10 * step,
            sum=0.5 * step,
            explicit_bounds=[0.01, 0.1, 1.0],
            bucket_counts=[2 * step, 5 * step, 2 * step, step],
        )
        for step in range(1, 30)
    ]
    cumulative = Histogram(data_points=points, aggregation_temporality=AGGREGATION_TEMPORALITY_CUMULATIVE)
    recording.metric(Metric(name="http.server.request.duration", unit="s", histogram=cumulative))
    return recording.write(tmp_path_factory.mktemp("interchange") / "infersight-store")


@pytest.fixture
def database(store: Path) -> Generator[duckdb.DuckDBPyConnection]:
    with connect(store) as connection:
        yield connection


def test_arrow_keeps_nanoseconds_structs_and_integers(database: duckdb.DuckDBPyConnection) -> None:
    table = database.sql(QUERY).to_arrow_table()
    assert table.schema.field("start_time").type == pa.timestamp("ns")
    assert table["start_time"].cast(pa.int64()).to_pylist() == table["start_time_ns"].to_pylist()
    first = table.slice(0, 1).to_pylist()[0]
    assert (first["attributes"]["n"], first["shape"], first["large"]) == (1, "[1,2]", 9007199254740993)
    batches = database.sql(QUERY).arrow()
    assert batches.read_all().equals(table)


def test_pandas_keeps_nanoseconds_structs_and_integers(database: duckdb.DuckDBPyConnection) -> None:
    frame = database.sql(QUERY).df()
    assert str(frame["start_time"].dtype) == "datetime64[ns]"
    assert frame["start_time"].astype("int64").tolist() == frame["start_time_ns"].tolist()
    assert (frame["attributes"][0]["n"], frame["shape"][0]) == (1, "[1,2]")
    assert (str(frame["large"].dtype), frame["large"][0], frame["large"][1]) == ("Int64", 9007199254740993, pd.NA)


def test_polars_keeps_nanoseconds_structs_and_integers(database: duckdb.DuckDBPyConnection) -> None:
    frame = database.sql(QUERY).pl()
    assert frame.schema["start_time"] == pl.Datetime("ns")
    assert frame["start_time"].cast(pl.Int64).to_list() == frame["start_time_ns"].to_list()
    assert frame["attributes"].struct.field("n").to_list()[:2] == [1, None]
    assert (frame["shape"][0], frame["large"][0]) == ("[1,2]", 9007199254740993)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_every_view_is_a_table_of_each_kind(database: duckdb.DuckDBPyConnection, view: Any) -> None:
    sql = f"from {view.name}"
    rows = database.sql(sql).to_arrow_table().num_rows
    assert (len(database.sql(sql).df()), len(database.sql(sql).pl())) == (rows, rows)


def test_the_types_on_the_page_are_those_that_come(database: duckdb.DuckDBPyConnection) -> None:
    query = "select start_time, duration_ns, sum(duration_ns) as total, attributes, [1] as list from spans group by all"
    table, frame = database.sql(query).to_arrow_table(), database.sql(query).df()
    polars = database.sql(query).pl()
    text = (DOCS / "interchange.md").read_text()
    for name, said in {"total": "HUGEINT", "duration_ns": "BIGINT", "start_time": "TIMESTAMP_NS"}.items():
        line = next(line for line in text.splitlines() if line.startswith(f"| {said}"))
        arrow = str(table.schema.field(name).type)
        assert re.sub(r"\W", "", arrow) in re.sub(r"[\W]", "", line)
        assert str(frame[name].dtype) in line
    assert isinstance(polars.schema["total"], pl.Decimal)


def test_the_examples_about_interchange_run(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(store.parent)
    names: dict[str, Any] = {}
    for example in examples(DOCS / "interchange.md", "python"):
        exec(compile(example, "interchange.md", "exec"), names)
    assert (names["table"].num_rows, len(names["frame"]), names["lazy"].collect().height) == (100, 100, 100)
    assert names["rows"] == 1 + 149 * 3
    assert len(names["spans"]) == 1
    names["store"].close()


@pytest.mark.parametrize("page", ["copies.md", "sql.md"])
def test_the_commands_on_a_page_run(
    store: Path, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INFERSIGHT_STORE", str(store))
    (tmp_path / "question.sql").write_text("select 1")
    commands = [shlex.split(line) for example in examples(DOCS / page, "sh") for line in example.splitlines()]
    piped = [list(takewhile(lambda word: word not in "|>", command)) for command in commands]
    ours = [command[1:] for command in piped if command[0] == "infersight"]
    assert len(ours) > 4
    for arguments in ours:
        outcome = run(*arguments)
        assert outcome.code == 0, (arguments, outcome.err)
    if page == "copies.md":
        for example in examples(DOCS / page, "python"):
            exec(compile(example, page, "exec"), {})


def test_the_page_about_sql_names_every_form() -> None:
    forms = re.findall(r"^\| `(\w+)` \| `\.", (DOCS / "sql.md").read_text(), re.MULTILINE)
    assert forms == list(FORMATS)


def test_the_notebook_runs_and_draws(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFERSIGHT_STORE", str(store))
    read: Callable[..., Any] = nbformat.reads  # untyped
    notebook = read((DOCS / "notebook.ipynb").read_text(), as_version=4)
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(store.parent)}}
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    kinds = [kind for output in outputs for kind in output.get("data", {})]
    assert kinds.count("image/png") == 3
    assert kinds.count("text/html") == 2
