"""What a person is told about a query that DuckDB refuses: one line, and where in the query it is."""

import re
from typing import Final

import duckdb

from infersight_analysis.errors import AnalysisError
from infersight_analysis.unreadable import explanation

_PLACE: Final = re.compile(r"\n\s*LINE (\d+): (.*)\n( *\^+)", re.DOTALL)
_EXPLAIN: Final = "explain\n"


def explained(connection: duckdb.DuckDBPyConnection, query: str, error: duckdb.Error) -> AnalysisError:
    """The error of a query as an `AnalysisError`, with the place as its detail where DuckDB can say it.

    Args:
        connection: from `connect`; it must have no result open.
        query: the query as it was typed.
        error: what DuckDB raised.
    """
    if (unreadable := explanation(connection, error)) is not None:
        return unreadable
    text = str(error)
    message = " ".join(text.partition("\n\nLINE ")[0].split())
    place = _PLACE.search(text)
    line = int(place[1]) if place else 0
    if place is None and isinstance(error, (duckdb.BinderException, duckdb.CatalogException)):
        # Not every way into DuckDB tells the place; this one does, and runs nothing.
        place = _PLACE.search(_refusal(connection, f"{_EXPLAIN}{query}"))
        line = int(place[1]) - _EXPLAIN.count("\n") if place else 0
    if place is None:
        return AnalysisError(message)
    return AnalysisError(f"{message} (line {line}{_column(place)})", detail=f"{place[2]}\n{_caret(place)}")


def _refusal(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    try:
        connection.execute(query)
    except duckdb.Error as error:
        return str(error)
    connection.abort()
    return ""


def _caret(place: re.Match[str]) -> str:
    return place[3][len(f"LINE {place[1]}: ") :]


def _column(place: re.Match[str]) -> str:
    if place[2].startswith("..."):  # a long line, of which DuckDB shows the part around the place
        return ""
    return f", column {_caret(place).index('^') + 1}"
