"""The macros as a whole: registry, page, examples, windows, and how little they read."""

import json
import re
import time
from collections.abc import Generator, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.analysis.recording import MS, SECOND, T0, Recording, trace_id

from infersight_analysis import connect
from infersight_analysis.macros import MACROS, Macro
from infersight_analysis.statements import read_only
from infersight_analysis.views import VIEWS
from infersight_collector.store.writer import Store

DOCS = Path(__file__).parents[3] / "analysis" / "docs" / "sql-macros.md"
HOUR = 3600 * SECOND
HOURS = 6


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six hours, each written at once: a file of spans and one of logs for each."""
    path = tmp_path_factory.mktemp("macros") / "store"
    for hour in range(HOURS):
        recording = Recording()
        for second in range(20):
            at = hour * HOUR + second * SECOND
            trace = hour * 1000 + second + 1
            recording.span(trace, 1, "GET /", at, 9 * MS, kind="SERVER", attributes={"http.route": "/"})
            recording.span(trace, 2, "infer", at + MS, 5 * MS, parent=1, error="no")
            recording.log(at, "hello", trace=trace)
        recording.write(path, writer=f"hour {hour}")
    return path


@pytest.fixture
def database(store: Path) -> Generator[duckdb.DuckDBPyConnection]:
    with connect(store) as connection:
        yield connection


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    Store.open(tmp_path / "store")
    return tmp_path / "store"


def call(macro: Macro) -> str:
    """A call with what has no default."""
    required = {"trace": f"'{trace_id(1)}'", "metric": "'m'", "bucket": "1", "q": "0.5"}
    arguments = (f"{name} := {required[name]}" for name, given in macro.parameters.items() if given.default is None)
    return f"{macro.name}({', '.join(arguments)})"


def test_every_macro_is_a_file_and_every_file_a_macro() -> None:
    folder = resources.files("infersight_analysis") / "sql" / "macros"
    assert {file.name for file in folder.iterdir()} == {f"{macro.name}.sql" for macro in MACROS}


@pytest.mark.parametrize("macro", MACROS, ids=lambda macro: macro.name)
def test_a_macro_has_exactly_the_columns_that_are_documented(macro: Macro, store: Path, empty: Path) -> None:
    for path in (store, empty):
        with connect(path) as connection:
            described = connection.execute(f"describe from {call(macro)}").fetchall()
            assert [name for name, *_ in described] == list(macro.columns)
            assert all(kind != '"NULL"' for _, kind, *_ in described), described
            connection.execute(read_only(connection, macro.example)).fetchall()


@pytest.mark.parametrize("macro", MACROS, ids=lambda macro: macro.name)
def test_the_page_about_macros_names_every_parameter_and_column(macro: Macro) -> None:
    section = DOCS.read_text().partition(f"### `{macro.name}`\n")[2].partition("\n### ")[0]
    assert macro.signature in section
    assert macro.about in section
    assert f"```sql\n{macro.example}\n```" in section
    parameters, _, columns = section.partition("| column | holds |")
    assert re.findall(r"^\| `(\w+)` \|", parameters, re.MULTILINE) == list(macro.parameters)
    assert all(f"| {parameter.about} |" in parameters for parameter in macro.parameters.values())
    if columns:
        assert re.findall(r"^\| `(\w+)` \|", columns, re.MULTILINE) == list(macro.columns)
        assert all(f"| {meaning} |" in columns for meaning in macro.columns.values())
    else:
        (view,) = re.findall(r"Its columns are those of the view \[`(\w+)`\]", section)
        assert macro.columns == {view.name: view.columns for view in VIEWS}[view]


def test_the_page_about_macros_has_no_other() -> None:
    assert re.findall(r"^### `(\w+)`$", DOCS.read_text(), re.MULTILINE) == [macro.name for macro in MACROS]


def test_every_example_of_the_page_about_macros_runs(database: duckdb.DuckDBPyConnection) -> None:
    examples = re.findall(r"```sql\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert len(examples) > len(MACROS)
    for example in examples:
        database.execute(example).fetchall()


def test_arguments_are_given_by_place_or_by_name_and_as_parameters(database: duckdb.DuckDBPyConnection) -> None:
    for query in (
        "from slowest('api', '1h', n := 3)",
        "from slowest(n := 3)",
        "from slowest($service, $last, n := $n)",
    ):
        values = {"service": "api", "last": "1h", "n": 3} if "$" in query else {}
        assert len(database.execute(query, values).fetchall()) == 3


def test_a_table_of_the_query_that_is_called_like_a_view_changes_no_macro(
    database: duckdb.DuckDBPyConnection,
) -> None:
    query = "with spans as (select 1 as x) select count(*) from slowest(n := 7)"
    assert database.execute(query).fetchall() == [(7,)]


def test_now_compares_with_the_times_of_the_views(database: duckdb.DuckDBPyConnection) -> None:
    before = time.time_ns()
    query = (
        "select epoch_ns(now()), epoch_ns(current_timestamp), typeof(now()), typeof(current_timestamp - interval 1 day)"
    )
    now, current, *types = database.execute(query).fetchall()[0]
    assert before - SECOND <= now == current <= time.time_ns() + SECOND
    assert types == ["TIMESTAMP_NS", "TIMESTAMP_NS"]
    query = "select count(*) from spans where start_time > now() - interval 1 hour or start_time < current_timestamp"
    assert database.execute(query).fetchall() == [(HOURS * 40,)]


def test_a_clock_that_is_ahead_moves_no_window(tmp_path: Path) -> None:
    year = 365 * 24 * HOUR
    recording = Recording()
    now = time.time_ns() - T0
    recording.span(1, 1, "GET", now - 60 * SECOND, MS, kind="SERVER")
    recording.span(2, 1, "GET", now + year, MS, kind="SERVER")
    with connect(recording.write(tmp_path / "store")) as connection:
        assert connection.execute("select trace_id from slowest(last := '1h')").fetchall() == [(trace_id(1),)]


def test_a_narrowed_connection_narrows_the_windows(store: Path) -> None:
    with connect(store, start=T0 + HOUR, end=T0 + 2 * HOUR + 10 * SECOND) as connection:
        assert connection.execute("select count(*) from slowest(last := '5s', n := 99)").fetchall() == [(5,)]
        (row,) = connection.execute("select spans, rate from rate_errors_duration(last := '1d')").fetchall()
        assert row == (30, pytest.approx(30 / 3610, rel=1e-3))


def test_times_that_no_timestamp_can_say_do_not_stop_a_macro(tmp_path: Path) -> None:
    late = 2**63 - 1 - T0
    recording = Recording()
    recording.span(1, 1, "root", 0, late, kind="SERVER", error="no")
    recording.span(1, 2, "late", late, 0, parent=1, kind="SERVER", error="no", events=[(late, "exception", {})])
    recording.span(1, 3, "batch", 5, late - 5, links=[(1, 1), (2, 1)])
    recording.log(late, "late", trace=1, severity=17)
    with connect(recording.write(tmp_path / "store")) as connection:
        for macro in MACROS:
            connection.execute(f"from {call(macro)}").fetchall()
        names = connection.execute(f"select trim(operation) from waterfall('{trace_id(1)}')").fetchall()
        assert {name for (name,) in names} == {"root", "late", "batch"}


def scans(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[int, int]]:
    """Row groups read and row groups there, of each scan of a query."""
    plan = json.loads(connection.execute(f"explain (analyze, format json) {query}").fetchall()[0][1])

    def below(operator: dict[str, Any]) -> Iterator[tuple[int, int]]:
        if "row_groups_scanned" in operator:
            yield operator["row_groups_scanned"], operator["total_row_groups_to_scan"]
        for child in operator.get("children", []):
            yield from below(child)

    return [scan for operator in plan["operator"] for scan in below(operator)]


MIDDLE = trace_id(3001)
NARROW = [
    f"trace('{MIDDLE}')",
    f"waterfall('{MIDDLE}')",
    f"self_time('{MIDDLE}')",
    f"logs_of('{MIDDLE}')",
    f"batch_of('{MIDDLE}')",
    f"metrics_around('{MIDDLE}')",
    "slowest('api', interval 1 hour)",
    "rate_errors_duration('1h', step := '5m')",
    "error_groups(last := '30m')",
    "predictions_of(last := '1h')",
    f"self_time(last := '30m', until := make_timestamp_ns({T0 + 2 * HOUR + 1}))",
]


@pytest.mark.parametrize("question", NARROW)
def test_a_trace_or_an_hour_is_read_from_its_own_files(question: str, database: duckdb.DuckDBPyConnection) -> None:
    # An hour of margin on either side, where a macro takes one, is in its neighbours; summaries are of whole hours.
    most = 3 if question.startswith(("self_time(last", "error_groups")) else 2 if "slowest" in question else 1
    found = scans(database, f"select * from {question}")
    assert found
    for scanned, there in found:
        assert scanned <= most, found
        assert there <= HOURS


@pytest.mark.parametrize("macro", ["trace", "logs_of", "waterfall"])
def test_of_the_files_of_other_hours_than_the_traces_none_is_opened(
    macro: str, database: duckdb.DuckDBPyConnection
) -> None:
    assert (1, 1) in scans(database, f"select * from {macro}('{MIDDLE}')")


@pytest.mark.parametrize("question", ["slowest(last := '20m')", "rate_errors_duration('20m')"])
def test_of_the_files_of_other_hours_than_the_windows_none_is_opened(
    question: str, database: duckdb.DuckDBPyConnection
) -> None:
    assert {there for _, there in scans(database, f"select * from {question}")} == {1}


@pytest.mark.parametrize(
    "condition",
    [
        f"start_time >= make_timestamp_ns({T0 + 5 * HOUR})",
        "start_time > '2025-10-09 13:00:00'",
        "start_time between timestamp '2025-10-09 13:00:00' and timestamp '2025-10-09 14:00:00'",
        pytest.param(
            f"start_time > now() - to_microseconds({(time.time_ns() - T0 - 4 * HOUR - 30 * SECOND) // 1000})",
            id="start_time > now() - age",  # the same name in every process
        ),
    ],
)
def test_a_filter_on_a_time_skips_parts_of_files_as_one_on_its_nanoseconds_does(
    condition: str, database: duckdb.DuckDBPyConnection
) -> None:
    assert scans(database, f"select max(name) from spans where {condition}") == [(1, HOURS)]
    assert database.execute(f"select count(*) from spans where {condition}").fetchall() == [(40,)]


def test_a_question_about_everything_reads_everything(database: duckdb.DuckDBPyConnection) -> None:
    assert (HOURS, HOURS) in scans(database, "select * from slowest()")
