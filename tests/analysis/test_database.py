"""The public views, over a store that a collector could have written."""

from collections.abc import Generator
from importlib import resources
from pathlib import Path

import duckdb
import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    Exemplar,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
)
from tests.analysis.recording import MS, T0, Recording, key_values, trace_id

from infersight_analysis import connect
from infersight_analysis.errors import AnalysisError
from infersight_analysis.statements import read_only
from infersight_analysis.views import VIEWS, View
from infersight_collector.store.errors import NotAStore
from infersight_collector.store.writer import Store


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recording = Recording()
    facts = {"http.route": "/predict", "http.response.status_code": 200, "shape": [1, 2], "nested": {"a": [True, None]}}
    exception = {"exception.type": "ValueError", "exception.message": "no"}
    recording.span(1, 1, "POST /predict", 0, 50 * MS, kind="SERVER", attributes=facts)
    recording.span(1, 2, "infer", 5 * MS, 60 * MS, parent=1, error="no", events=[(7 * MS, "exception", exception)])
    recording.span(2, 1, "unfinished", 3600 * 1000 * MS, None)
    recording.log(6 * MS, "hello", trace=1, span=2, attributes={"user": "é"})
    model = {"infersight.model.name": "m", "infersight.model.version": "2"}
    recording.log(8 * MS, "", event_name="infersight.prediction", trace=1, attributes=model)
    point = NumberDataPoint(time_unix_nano=T0, as_int=2**53 + 1, attributes=key_values({"gpu": 0}))
    recording.metric(Metric(name="memory", unit="By", gauge=Gauge(data_points=[point])))
    exemplar = Exemplar(time_unix_nano=T0, as_double=0.5, trace_id=(1).to_bytes(16, "big"), span_id=b"\0" * 7 + b"\2")
    bucketed = HistogramDataPoint(
        time_unix_nano=T0, count=1, sum=0.5, explicit_bounds=[1.0], bucket_counts=[1, 0], exemplars=[exemplar]
    )
    recording.metric(
        Metric(
            name="duration",
            histogram=Histogram(data_points=[bucketed], aggregation_temporality=AGGREGATION_TEMPORALITY_CUMULATIVE),
        )
    )
    return recording.write(tmp_path_factory.mktemp("recorded") / "store")


@pytest.fixture
def database(recorded: Path) -> Generator[duckdb.DuckDBPyConnection]:
    with connect(recorded) as connection:
        yield connection


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    Store.open(tmp_path / "store")
    return tmp_path / "store"


def described(connection: duckdb.DuckDBPyConnection, view: str) -> dict[str, str]:
    return {name: kind for name, kind, *_ in connection.execute(f"describe {view}").fetchall()}


def test_every_view_is_a_file_and_every_file_a_view() -> None:
    folder = resources.files("infersight_analysis") / "sql" / "views"
    assert {file.name for file in folder.iterdir()} == {f"{view.name}.sql" for view in VIEWS}


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_has_exactly_the_columns_that_are_documented(view: View, recorded: Path, empty: Path) -> None:
    for store in (recorded, empty):
        with connect(store) as connection:
            assert list(described(connection, view.name)) == list(view.columns)
            connection.execute(view.example).fetchall()


def test_before_anything_was_written_the_views_are_empty_and_typed(empty: Path) -> None:
    with connect(empty) as connection:
        assert connection.execute("select count(*) from spans").fetchone() == (0,)
        types = described(connection, "spans")
        assert (types["start_time"], types["duration_ns"]) == ("TIMESTAMP_NS", "BIGINT")
        assert connection.execute("select scope_attributes['anything'] from spans").fetchall() == []


def test_attributes_are_typed_and_arrays_and_maps_are_json(database: duckdb.DuckDBPyConnection) -> None:
    query = (
        "select attributes['http.response.status_code'], attributes['shape'][1]::int, attributes['nested'].a[0]::bool "
        "from spans where span_id = '0000000000000001' and trace_id = $trace"
    )
    assert database.execute(query, {"trace": trace_id(1)}).fetchone() == (200, 2, True)
    keys = dict(database.execute("select key, type from attribute_keys where column_name = 'attributes'").fetchall())
    assert keys["shape"] == "JSON"
    assert keys["http.route"] == "VARCHAR"


def test_kinds_and_times_and_missing_parents_are_said_as_the_contract_says(database: duckdb.DuckDBPyConnection) -> None:
    query = "select kind, status_code, parent_span_id, epoch_ns(start_time), end_time_ns, duration_ns from spans"
    assert sorted(database.execute(query).fetchall(), key=str) == [
        ("INTERNAL", "ERROR", "0000000000000001", T0 + 5 * MS, T0 + 65 * MS, 60 * MS),
        ("INTERNAL", "UNSET", None, T0 + 3600 * 1000 * MS, None, None),
        ("SERVER", "UNSET", None, T0, T0 + 50 * MS, 50 * MS),
    ]


def test_a_trace_lasts_from_its_first_start_to_its_last_end(database: duckdb.DuckDBPyConnection) -> None:
    query = "select duration_ns, root_name, span_count, error_count, services from traces order by trace_id"
    expected = [(65 * MS, "POST /predict", 2, 1, ["api"]), (0, "unfinished", 1, 0, ["api"])]
    assert database.execute(query).fetchall() == expected


def test_one_trace_id_joins_spans_logs_events_exemplars_and_predictions(database: duckdb.DuckDBPyConnection) -> None:
    trace = {"trace": trace_id(1)}
    for view, count in {"spans": 2, "logs": 2, "span_events": 1, "exemplars": 1, "predictions": 1}.items():
        assert database.execute(f"select count(*) from {view} where trace_id = $trace", trace).fetchone() == (count,)
    assert database.execute("select model_name, model_version from predictions").fetchone() == ("m", "2")


def test_integers_of_metrics_stay_exact(database: duckdb.DuckDBPyConnection) -> None:
    query = "select value_int, attributes['gpu'], unit from metrics where name = 'memory'"
    assert database.execute(query).fetchone() == (2**53 + 1, 0, "By")


def test_a_time_window_leaves_out_rows_and_keeps_their_columns(recorded: Path) -> None:
    with connect(recorded, start="2025-10-09T09:00:00Z") as connection:
        assert connection.execute("select name, attributes['shape'] from spans").fetchall() == [("unfinished", None)]
    with connect(recorded, end=T0) as connection:
        assert connection.execute("select attributes['http.route'] from spans").fetchall() == []


def test_a_snapshot_does_not_change_while_the_store_does(tmp_path: Path) -> None:
    recording = Recording()
    recording.span(1, 1, "first", 0, MS)
    store = recording.write(tmp_path / "store")
    with connect(store) as before:
        later = Recording()
        later.span(2, 1, "second", 0, MS)
        later.write(store, writer="later")
        assert before.execute("select count(*) from spans").fetchone() == (1,)
    with connect(store) as after:
        assert after.execute("select count(*) from spans").fetchone() == (2,)


def test_a_store_may_lie_below_directories_that_are_called_like_partitions(tmp_path: Path) -> None:
    recording = Recording()
    recording.span(1, 1, "GET", 0, MS, kind="SERVER")
    with connect(recording.write(tmp_path / "env=prod" / "date=1999-01-01" / "store")) as connection:
        assert connection.execute("select distinct date, hour from stored.spans").fetchall() == [("2025-10-09", "08")]
        assert list(described(connection, "spans")) == list(VIEWS[0].columns)
        assert len(connection.execute(f"from trace('{trace_id(1)}')").fetchall()) == 1


def test_a_directory_that_is_no_store_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NotAStore, match="infersight collector --store"):
        connect(tmp_path)


def test_a_closed_connection_leaves_no_files_behind(
    empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    connection = connect(empty)
    assert list(scratch.iterdir())
    connection.close()
    del connection
    assert list(scratch.iterdir()) == []


def test_a_sort_larger_than_memory_spills_to_a_place_of_its_own(empty: Path) -> None:
    with connect(empty, memory_limit="100MB") as connection:
        query = "select count(*) from (select md5(range::varchar) as x from range(2000000) order by x)"
        assert connection.execute(query).fetchone() == (2_000_000,)


@pytest.mark.parametrize("timeout", [0.05, "50ms"])
def test_a_query_ends_at_its_time_out_and_the_connection_goes_on(timeout: float | str, empty: Path) -> None:
    with connect(empty, timeout=timeout) as connection:
        with pytest.raises(duckdb.InterruptException):
            connection.execute("select sum(a.range * b.range) from range(1000000) a, range(1000000) b")  # hours
        assert connection.execute("select 1").fetchone() == (1,)


@pytest.mark.parametrize(
    "hostile",
    [
        "select * from read_text('/etc/passwd')",
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd.csv'",
        "select * from glob('/etc/*')",
        "copy (select 1) to '{outside}'",
        "attach '{outside}' as other",
        "export database '{outside}'",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "set max_execution_time = 0",
        "set memory_limit = '1TB'",
        "select * from read_parquet('http://127.0.0.1:9/x.parquet')",
    ],
)
def test_a_connection_reaches_nothing_but_the_files_of_its_snapshot(
    hostile: str, recorded: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    with connect(recorded) as connection, pytest.raises(duckdb.Error):
        connection.execute(hostile.format(outside=outside))
    assert not outside.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "copy (select 1) to 'x' (use_tmp_file false)",
        "explain analyze copy (select 1) to 'x' (use_tmp_file false)",
        "explain (analyze) copy (select 1) to 'x' (use_tmp_file false)",
        "explain /* quietly */ copy (select 1) to 'x'",
        "create table t as select 1",
        "insert into stored.attribute_keys values ('', '', '', '')",
        "drop view spans",
        "set threads = 1",
        "pragma database_list",
        "attach 'x'",
        "select 1; copy (select 1) to 'x'",
        "",
    ],
)
def test_what_is_no_query_is_refused(statement: str, database: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises((AnalysisError, duckdb.Error)):
        read_only(database, statement)


@pytest.mark.parametrize(
    "query",
    [
        "select 1",
        "from spans",
        "with a as (select 1) from a",
        "values (1)",
        "describe spans",
        "summarize spans",
        "show tables",
        "explain select 1",
        "explain analyze select 1",
        "explain (format json) select 1;",
    ],
)
def test_a_query_in_any_form_is_taken(query: str, database: duckdb.DuckDBPyConnection) -> None:
    database.execute(read_only(database, query)).fetchall()
