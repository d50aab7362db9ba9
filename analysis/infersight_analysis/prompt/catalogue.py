"""The names that a connection knows, for completion and `.schema`."""

from dataclasses import dataclass
from typing import Final

import duckdb

from infersight_analysis.macros import MACROS

_COLUMNS: Final = """
select table_name, list({'name': column_name, 'type': data_type} order by column_index)
from duckdb_columns() where schema_name = 'main' and not internal group by 1 order by 1
"""
_FUNCTIONS: Final = """
select distinct function_name from duckdb_functions()
where internal and regexp_full_match(function_name, '[a-z]\\w*') and not starts_with(function_name, '_') order by 1
"""
_KEYWORDS: Final = "select keyword_name from duckdb_keywords() order by 1"
_KEYS: Final = "select table_name, column_name, key, type from attribute_keys order by 3"


@dataclass(frozen=True)
class Key:
    """An attribute key: where it occurs, and its type."""

    table: str
    column: str
    key: str
    type: str


@dataclass(frozen=True)
class Catalogue:
    """What can be named in a query.

    Args:
        views: the columns of each view and their types.
        macros: the parameters of each macro.
        functions: names of DuckDB's functions.
        keywords: of SQL, in lower case.
        keys: the attribute keys.
    """

    views: dict[str, dict[str, str]]
    macros: dict[str, list[str]]
    functions: list[str]
    keywords: list[str]
    keys: list[Key]

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection) -> "Catalogue":
        """The names that `connection` knows."""

        def rows(query: str) -> list[tuple[str, ...]]:
            return connection.execute(query).fetchall()

        columns = connection.execute(_COLUMNS).fetchall()
        return cls(
            views={view: {column["name"]: column["type"] for column in listed} for view, listed in columns},
            macros={macro.name: list(macro.parameters) for macro in MACROS},
            functions=[name for (name,) in rows(_FUNCTIONS)],
            keywords=[name for (name,) in rows(_KEYWORDS)],
            keys=[Key(*row) for row in rows(_KEYS)],
        )
