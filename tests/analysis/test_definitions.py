"""Views and macros that are created when they are named: nobody can tell it from the answers."""

from collections.abc import Generator
from pathlib import Path

import duckdb
import pytest
from tests.analysis.recording import MS, Recording, trace_id

from infersight_analysis import connect
from infersight_analysis.macros import MACROS, Macro
from infersight_analysis.results import run
from infersight_analysis.views import VIEWS, View

CREATED = "select view_name from duckdb_views() where not internal"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recording = Recording()
    recording.span(1, 1, "GET /", 0, 9 * MS, kind="SERVER", attributes={"http.route": "/"})
    recording.span(1, 2, "infer", MS, 5 * MS, parent=1, error="no")
    recording.log(MS, "hello", trace=1, event_name="infersight.prediction")
    return recording.write(tmp_path_factory.mktemp("named") / "store")


@pytest.fixture
def named(store: Path) -> Generator[duckdb.DuckDBPyConnection]:
    with connect(store, create_when_named=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def whole(store: Path) -> Generator[duckdb.DuckDBPyConnection]:
    with connect(store) as connection:
        yield connection


def created(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """What is there; asked by DuckDB's own method, for which nothing is created."""
    return {name for (name,) in duckdb.DuckDBPyConnection.execute(connection, CREATED).fetchall()}


@pytest.mark.parametrize("thing", [*VIEWS, *MACROS], ids=lambda thing: f"{type(thing).__name__.lower()} {thing.name}")
def test_the_first_statement_of_a_connection_may_name_anything(
    thing: View | Macro, store: Path, whole: duckdb.DuckDBPyConnection
) -> None:
    with connect(store, create_when_named=True) as connection:
        assert connection.execute(thing.example).fetchall() == whole.execute(thing.example).fetchall()


def test_what_is_not_named_is_not_created(named: duckdb.DuckDBPyConnection) -> None:
    assert created(named) == set()
    assert named.execute("select count(*) from exemplars").fetchall() == [(0,)]
    assert created(named) == {"exemplars"}


@pytest.mark.parametrize("question", ["show tables", "describe", "desc;", "from duckdb_views()", "pragma show_tables"])
def test_who_asks_what_there_is_is_shown_everything(
    question: str, named: duckdb.DuckDBPyConnection, whole: duckdb.DuckDBPyConnection
) -> None:
    assert len(named.execute(question).fetchall()) == len(whole.execute(question).fetchall())


def test_an_order_asks_for_nothing_more(named: duckdb.DuckDBPyConnection) -> None:
    named.execute("from exemplars order by time_ns desc")
    assert created(named) == {"exemplars"}


@pytest.mark.parametrize("query", ["from spams", "from slowert()"])
def test_a_wrong_name_is_answered_with_the_nearest(
    query: str, named: duckdb.DuckDBPyConnection, whole: duckdb.DuckDBPyConnection
) -> None:
    with pytest.raises(duckdb.CatalogException) as expected:
        whole.execute(query)
    with pytest.raises(duckdb.CatalogException) as error:
        named.execute(query)
    assert str(error.value) == str(expected.value)
    assert "Did you mean" in str(error.value)


def test_a_name_that_is_not_seen_in_the_statement_is_found_all_the_same(named: duckdb.DuckDBPyConnection) -> None:
    assert named.execute("from query_table('spa' || 'ns')").fetchall()


def test_the_present_can_be_compared_with_the_times_of_the_views(named: duckdb.DuckDBPyConnection) -> None:
    """`current_timestamp` names no macro, and DuckDB's own has a time zone."""
    query = "select count(*) from spans where start_time < current_timestamp"
    assert named.execute(query).fetchall() == [(2,)]


def test_a_cursor_has_the_same_names(named: duckdb.DuckDBPyConnection) -> None:
    with named.cursor() as cursor:
        rows = cursor.execute("select name from trace($1)", [trace_id(1)]).fetchall()
    assert rows == [("GET /",), ("infer",)]


def test_a_result_under_way_is_read_on(named: duckdb.DuckDBPyConnection) -> None:
    named.execute("select range from range(5000)")
    assert named.fetchone() == (0,)
    with pytest.raises(duckdb.CatalogException):  # of the moment at which that query began
        named.sql("from spans")
    assert named.fetchone() == (1,)
    assert len(named.execute("from spans").fetchall()) == 2


def test_results_can_be_read_with_their_types(named: duckdb.DuckDBPyConnection) -> None:
    assert list(run(named, f"select name from waterfall('{trace_id(1)}') join spans using (span_id)").rows)
