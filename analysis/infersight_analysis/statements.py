"""Keeps SQL from people, scripts and agents to questions."""

import re
from typing import Final

import duckdb

from infersight_analysis.errors import AnalysisError

_EXPLAIN: Final = re.compile(
    r"\s*explain\s+(?:(?:analy[sz]e\b|\(\s*(?:format|analy[sz]e)\b[^)]*\))\s*)*", re.IGNORECASE
)


def read_only(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """The one query in `sql`; what a connection may still do to the files it reads, such as COPY over one, is refused.

    Args:
        connection: whose parser to use.
        sql: one SELECT (FROM, WITH, VALUES, DESCRIBE, SUMMARIZE, SHOW) or EXPLAIN of one.

    Returns:
        The statement.

    Raises:
        AnalysisError: it is no query, or not exactly one.
        duckdb.ParserException: it is no SQL.
    """
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise AnalysisError(f"expected one query, found {len(statements)} statements")
    kind, query = statements[0].type, statements[0].query
    if kind == duckdb.StatementType.EXPLAIN:
        explained = _EXPLAIN.sub("", query, count=1)
        if explained == query:
            raise AnalysisError("write EXPLAIN in front of the query, without a comment between")
        read_only(connection, explained)  # EXPLAIN ANALYZE runs what it explains
    elif kind == duckdb.StatementType.MULTI:
        raise AnalysisError("PIVOT must name its columns here: pivot ... on name in ('a', 'b')")
    elif kind != duckdb.StatementType.SELECT:
        name = kind.name.lower().replace("_", " ")
        raise AnalysisError(f"the store is read-only: {name} is no query, only SELECT and its kin are")
    return query
