# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow publishes no type information)
"""Tables that people have beside a store: files, data frames, rows in Python."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from infersight_analysis.errors import AnalysisError
from infersight_analysis.stored import literal

_KINDS: Final = "['BIGINT', 'DOUBLE', 'TIME', 'DATE', 'TIMESTAMP', 'TIMESTAMPTZ', 'VARCHAR']"
_CSV: Final = f"read_csv({{file}}, auto_type_candidates = {_KINDS})"
"""Not as booleans, for which DuckDB takes yes and no as well: they would be called true and false."""

_READERS: Final = {
    ".csv": _CSV,
    ".tsv": _CSV,
    ".txt": _CSV,
    ".parquet": "read_parquet({file})",
    ".json": "read_json({file})",
    ".jsonl": "read_json({file}, format = 'newline_delimited')",
    ".ndjson": "read_json({file}, format = 'newline_delimited')",
}

Tabular = Any
"""A path, or anything that `read_table` takes; data frames have no type in common."""


def read_table(source: Tabular) -> Any:
    """A table as Arrow's.

    Args:
        source: the path of a CSV, TSV, Parquet, JSON or JSON-lines file; an Arrow table, a pandas or Polars data frame
            or anything else that speaks the Arrow C interface; a mapping of columns; or a sequence of rows, each a
            mapping.

    Returns:
        a `pyarrow.Table`.

    Raises:
        AnalysisError: the file cannot be read, or it is no table.
    """
    import pyarrow as pa  # pyright: ignore[reportMissingTypeStubs] # noqa: PLC0415 - a tenth of a second that only tables need

    if isinstance(source, str | Path):
        return _read_file(Path(source))
    if isinstance(source, pa.Table):
        return source
    try:
        if isinstance(source, Mapping):
            return pa.table({str(name): values for name, values in source.items()})
        if isinstance(source, Sequence):
            return pa.Table.from_pylist([dict(row) for row in source])
        return pa.table(source)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise AnalysisError(f"this is no table: {' '.join(str(error).split())}") from error


def _read_file(path: Path) -> Any:
    import duckdb  # noqa: PLC0415

    named = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    reader = _READERS.get(named.suffix.lower())
    if reader is None:
        raise AnalysisError(f"{path} has none of the endings {', '.join(_READERS)}")
    if not path.is_file():
        raise AnalysisError(f"there is no file {path}")
    # A path with * would be read as a pattern; the brackets of a glob class keep it a name.
    name = "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path))
    try:
        with duckdb.connect() as connection:
            table = connection.sql(f"from {reader.format(file=literal(name))}").to_arrow_table()
    except duckdb.Error as error:
        raise AnalysisError(f"cannot read {path}: {' '.join(str(error).split())[:300]}") from error
    return _with_booleans(table) if reader is _CSV else table


def _with_booleans(table: Any) -> Any:
    """The table with columns of the texts true and false as booleans."""
    import pyarrow as pa  # pyright: ignore[reportMissingTypeStubs] # noqa: PLC0415

    for place, name in enumerate(table.column_names):
        column = table.column(place)
        if pa.types.is_string(column.type):
            texts: set[str | None] = set(column.unique().to_pylist()) - {None}
            if texts and {str(text).lower() for text in texts} <= {"true", "false"}:
                said = [None if text is None else text.lower() == "true" for text in column.to_pylist()]
                table = table.set_column(place, name, pa.array(said, pa.bool_()))
    return table
