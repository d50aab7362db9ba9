"""Rows of the views as arrays, texts as numbers of the texts that occur."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyarrow publishes no types.

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt

from infersight_analysis.reading import query
from infersight_analysis.rootcause.question import Question

Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_INSTANCE_KEYS: Final = ("k8s.pod.name", "container.id", "host.name")
"""What tells an instance where `service.instance.id` is absent."""

_LINE_KEYS: Final = ("code.line.number", "code.lineno")
_FILE_KEYS: Final = ("code.file.path", "code.filepath", "code.namespace", "code.function.name", "code.function")
"""Where a record was logged, in today's semantic conventions and in the earlier ones."""


@dataclass(frozen=True)
class Texts:
    """A column of texts.

    Args:
        codes: for each row the number of its text.
        values: the texts by number.
    """

    codes: Codes
    values: list[str]

    def at(self, rows: npt.NDArray[Any]) -> "Texts":
        """These rows."""
        return Texts(self.codes[rows], self.values)

    def is_one_of(self, *texts: str) -> Flags:
        """Whether each row is one of some texts."""
        wanted = [number for number, text in enumerate(self.values) if text in texts]
        return np.isin(self.codes, wanted)


def instance_of(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    """SQL of the instance of a record's service, empty where nothing tells it."""
    known = _known(connection, table, "resource_attributes", _INSTANCE_KEYS)
    return f"coalesce({', '.join(('service_instance_id', *known, chr(39) * 2))})"


def place_of(connection: duckdb.DuckDBPyConnection) -> str:
    """SQL of the place in the code that logged a record, empty where its sender does not say it."""
    lines = _known(connection, "logs", "attributes", _LINE_KEYS)
    files = _known(connection, "logs", "attributes", _FILE_KEYS)
    if not lines or not files:
        return "''"
    line = f"coalesce({', '.join(lines)})"
    return f"if({line} is null, '', coalesce({', '.join((*files, chr(39) * 2))}) || ':' || {line})"


def _known(connection: duckdb.DuckDBPyConnection, table: str, column: str, keys: Iterable[str]) -> list[str]:
    """SQL of those attributes that occur in a table."""
    rows = connection.execute(
        "select key from attribute_keys where table_name = $table and column_name = $column",
        {"table": table, "column": column},
    ).fetchall()
    found = {row[0] for row in rows}
    return [f"{column}['{key}']::varchar" for key in keys if key in found]


def read(
    connection: duckdb.DuckDBPyConnection, name: str, question: Question, *, one_in: int | None = None, **parts: str
) -> dict[str, Any]:
    """The columns of `sql/queries/rootcause/NAME.sql` by name, without nulls: numbers as arrays, texts as `Texts`.

    Args:
        connection: from `connect`.
        name: which query.
        question: the incident.
        one_in: read this part of the traces.
        parts: expressions that the query leaves open.
    """
    values: dict[str, Any] = dict(question.times)
    if one_in is not None:
        values["one_in"] = one_in
    sql = query(f"rootcause/{name}").format(**parts)
    table: Any = connection.sql(sql, params=values).to_arrow_table()
    return {column: _array(table.column(column)) for column in table.column_names}


def _array(column: Any) -> Any:
    column = column.combine_chunks()
    if str(column.type) not in {"string", "large_string"}:
        return np.asarray(column.to_numpy(zero_copy_only=False))
    encoded = column.dictionary_encode()
    return Texts(np.asarray(encoded.indices.to_numpy(), np.int64), encoded.dictionary.to_pylist())
