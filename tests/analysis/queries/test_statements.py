"""Statements without their values."""

import duckdb
import pytest
from tests.analysis.recording import MS, Recording

from infersight_analysis import connect


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    recording = Recording()
    recording.span(1, 1, "one", 0, MS)
    return connect(recording.write(tmp_path_factory.mktemp("statements") / "store"))


def statement(connection: duckdb.DuckDBPyConnection, text: str) -> str:
    ((found,),) = connection.execute("select stored.query_statement($text::varchar)", {"text": text}).fetchall()
    return str(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT * FROM t WHERE a = 1", "SELECT * FROM t WHERE a = ?"),
        ("select 1.5, .5, 1e-9, 0xFF, -3", "select ?, .?, ?, ?, -?"),
        ("select a1, t2.b3 from t2 where c_4 = 5", "select a1, t2.b3 from t2 where c_4 = ?"),
        ("select 'it''s', '', 'a -- b', 'c /* d'", "select ?, ?, ?, ?"),
        ('select "column 1" from "Table2" where a = \'x\'', 'select "column ?" from "Table2" where a = ?'),
        ("select a , b\n\t from  t ;", "select a, b from t;"),
        ("select a -- of t's rows\nfrom t", "select a from t"),
        ("/* traceparent='00-0af7-b7ad-01' */ select a from t /* x */", "select a from t"),
        ("select a from t where b = $1 and c = %s and d = %(name)s and e = ?",
         "select a from t where b = ? and c = ? and d = ? and e = ?"),
        ("select a from t where b in (1, 2,3 ,4)", "select a from t where b in (?, ...)"),
        ("select a from t where b in (?)", "select a from t where b in (?)"),
        ("select a from t where b in ($1,$2, $3)", "select a from t where b in (?, ...)"),
        ("insert into t (a, b) values (1, 'x'), (2, 'y'), (3, 'z')", "insert into t (a, b) values (?, ...), ..."),
        ("insert into t (a) values (1),(2)", "insert into t (a) values (?), ..."),
        ("select 'cut off in the midd", "select ?"),
        ("select a /* cut off in the midd", "select a"),
        ("GET user:17", "GET user:?"),
        ("", ""),
    ],
)  # fmt: skip
def test_values_comments_and_white_space_make_no_other_statement(
    connection: duckdb.DuckDBPyConnection, text: str, expected: str
) -> None:
    assert statement(connection, text) == expected


def test_a_statement_that_has_none_left_stays_as_it_is(connection: duckdb.DuckDBPyConnection) -> None:
    once = statement(connection, "select a from t where b in (1, 2) and c = 'x' /* y */ and d = $1")
    assert statement(connection, once) == once


def test_a_long_statement_takes_no_more_than_its_length(connection: duckdb.DuckDBPyConnection) -> None:
    many = "select a from t where b in (" + ", ".join(map(str, range(50_000))) + ")"
    assert statement(connection, many) == "select a from t where b in (?, ...)"
    assert statement(connection, "select " + "'" * 100_001) == "select ?"
