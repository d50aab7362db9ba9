"""Columns of a table as arrays, one after the other, all of them in the same order.

DuckDB keeps the order of the files it scans, whatever columns are asked for. So the columns of one snapshot fit
together row by row, without a join and without all of them in memory at once.
"""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Self

import duckdb
import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Codes = npt.NDArray[np.int32]

NO_VALUE: Final = np.uint64(0xBF58476D1CE4E5B9)
"""DuckDB's hash of null, whatever its type; to tell nulls apart in SQL would take as long as to read them."""

_CELLS: Final = 1 << 22
_COLUMNS: Final = 2
"""About so many values are read at once, or so many columns, one piece of rows after the other: one column by itself
takes twice as long."""

_PIECE: Final = 122_880
"""Rows of a piece, which stays in the processor's caches."""

_NO_ROWS: Final = np.zeros(0, np.int64)

_MIX: Final = np.uint64(0x9E3779B97F4A7C15)
_BUCKET_BITS: Final = 16
"""A table of as many bits stays in the processor's caches."""


@dataclass(frozen=True)
class Scan:
    """Rows of a view, in the order of its files.

    Args:
        connection: from `connect`.
        view: name of the view.
        where: condition in SQL on every row.
    """

    connection: duckdb.DuckDBPyConnection
    view: str
    where: str = "true"

    def read(self, *expressions: str) -> tuple[npt.NDArray[Any], ...]:
        """One value a row of each of these expressions, which are never null."""
        with self.connection.cursor() as cursor:
            # By way of Arrow, which DuckDB fills with all its threads: half of the time of `fetchnumpy`.
            read: list[Any] = list(self._query(cursor, expressions).to_arrow_table().columns)
        return tuple(_as_array(read.pop(0)) for _ in expressions)  # what was converted is let go

    def columns(self, expressions: Sequence[str], place: Codes) -> Generator["Column"]:
        """One column for each expression; the next ones are read while the caller looks at this one.

        Args:
            expressions: hashes, or numbers that are NaN where there is none.
            place: of each row of the scan, -1 of those that are of no interest; ascending but for these.
        """
        once = max(_COLUMNS, _CELLS // max(1, len(place)))
        batches = [expressions[start : start + once] for start in range(0, len(expressions), once)]

        def read(batch: Sequence[str]) -> list[Column]:
            pieces: list[list[Column]] = [[] for _ in batch]
            start = 0
            for rows in self._query(cursor, batch).to_arrow_reader(_PIECE):
                for found, values in zip(pieces, rows.columns, strict=True):
                    found.append(Column.of(np.from_dlpack(values)).at(place[start : start + rows.num_rows]))
                start += rows.num_rows
            return [Column.joined(pieces.pop(0)) for _ in batch]  # what was joined is let go

        with ThreadPoolExecutor(1) as reader, self.connection.cursor() as cursor:
            ahead = [reader.submit(read, batch) for batch in batches[:1]]
            for following in (*batches[1:], None):
                columns = ahead.pop().result() if ahead else []
                if following is not None:
                    ahead.append(reader.submit(read, following))
                while columns:
                    yield columns.pop(0)

    def _query(self, connection: duckdb.DuckDBPyConnection, expressions: Sequence[str]) -> Any:
        columns = ", ".join(f"{expression} as column{number}" for number, expression in enumerate(expressions))
        return connection.sql(f"select {columns} from {self.view} where {self.where}")  # noqa: S608 - built by our code


@dataclass(frozen=True)
class Column:
    """The rows of a column that have a value: most attributes are on few of the spans.

    Args:
        rows: which rows, ascending.
        values: a value for each of them.
    """

    rows: Codes
    values: npt.NDArray[Any]

    @classmethod
    def of(cls, values: npt.NDArray[Any]) -> Self:
        """Those of an array in which `NO_VALUE` and NaN stand for none."""
        rows = np.flatnonzero(~np.isnan(values) if values.dtype.kind == "f" else values != NO_VALUE).astype(np.int32)
        return cls(rows, values[rows])

    @classmethod
    def joined(cls, pieces: Sequence["Column"]) -> Self:
        """Several, one after the other."""
        if not pieces:
            return cls(np.zeros(0, np.int32), np.zeros(0))
        return cls(np.concatenate([one.rows for one in pieces]), np.concatenate([one.values for one in pieces]))

    def at(self, place: Codes) -> "Column":
        """The rows by their places; without those whose place is -1."""
        return Column(place[self.rows], self.values).only(lambda one: one.rows >= 0)

    def only(self, which: Callable[["Column"], npt.NDArray[np.bool_]]) -> "Column":
        """Some of the rows."""
        flags = which(self)
        return self if flags.all() else Column(self.rows[flags], self.values[flags])


def _as_array(column: Any) -> npt.NDArray[Any]:
    """A column of Arrow's without nulls; its own conversion would import pandas where that is there."""
    chunks: list[npt.NDArray[Any]] = [np.from_dlpack(chunk) for chunk in column.chunks]
    return np.concatenate(chunks) if chunks else np.zeros(0, column.type.to_pandas_dtype())


def hash_of(expression: str) -> str:
    """SQL of the 64-bit hash of an expression, `NO_VALUE` where it is null."""
    return f"hash({expression})"


def distinct_of(values: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """The distinct values, ascending, and how often each occurs; by sorting, which NumPy does faster than hashing."""
    ordered = np.sort(values)
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)) if len(ordered) else np.zeros(0, np.int64)
    return ordered[ends], np.diff(ends, prepend=-1)


def frequent(values: npt.NDArray[Any], least: int) -> tuple[slice | npt.NDArray[np.int64], Codes, npt.NDArray[Any]]:
    """Small integers in the place of the values that occur at least so often; the rows of all others are left out.

    Args:
        values: hashes, or numbers without NaN.
        least: how often.

    Returns:
        an index of the rows that have such a value, for each of these its index among the values, and these, ascending.
    """
    # A table of mixed bits tells most values apart, and whole buckets of identifiers are left out unseen; to sort and
    # search takes several times as long.
    bits = (values + 0.0).view(np.uint64) if values.dtype.kind == "f" else values.astype(np.uint64, copy=False)
    bucket = (bits * _MIX >> np.uint64(64 - _BUCKET_BITS)).view(np.int64)
    counts = np.bincount(bucket, minlength=1 << _BUCKET_BITS)
    rows: slice | npt.NDArray[np.int64] = slice(None)
    if ((counts > 0) & (counts < least)).any():
        rows = np.flatnonzero((counts >= least)[bucket])
        values, bucket = values[rows], bucket[rows]
    some = np.zeros(1 << _BUCKET_BITS, values.dtype)
    some[bucket] = values
    is_shared = np.zeros(1 << _BUCKET_BITS, np.bool_)
    differs = some[bucket] != values
    if differs.any():
        is_shared[bucket[differs]] = True
    alone = np.flatnonzero((counts >= max(1, least)) & ~is_shared)
    rest = np.flatnonzero(is_shared[bucket]) if differs.any() else _NO_ROWS
    others, times = distinct_of(values[rest])
    others = others[times >= least]
    distinct = np.concatenate([some[alone], others])
    order = np.argsort(distinct)
    number = np.empty(len(order) + 1, np.int32)
    number[order], number[-1] = np.arange(len(order)), -1
    of_bucket = np.zeros(1 << _BUCKET_BITS, np.int32)
    of_bucket[alone] = number[: len(alone)]
    codes = of_bucket[bucket]
    if len(rest):
        place = _place(others, values[rest])
        codes[rest] = number[np.where(place < 0, -1, len(alone) + place)]
        found = np.flatnonzero(codes >= 0)
        rows, codes = (found if isinstance(rows, slice) else rows[found]), codes[found]
    return rows, codes, distinct[order]


def _place(distinct: npt.NDArray[Any], values: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The index of each value among some that are ascending, -1 where it is none of them."""
    if not len(distinct):
        return np.full(len(values), -1)
    place = np.minimum(np.searchsorted(distinct, values), len(distinct) - 1)
    return np.where(distinct[place] == values, place, -1)


def codes_of(values: npt.NDArray[Any]) -> tuple[Codes, npt.NDArray[Any]]:
    """Small integers in the place of values, which come in runs or are few.

    Returns:
        for each value its index among the distinct values, and these, ascending.
    """
    if not len(values):
        return np.zeros(0, np.int32), values
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    _, codes, distinct = frequent(values[starts], 1)
    return np.repeat(codes, np.diff(starts, append=len(values))), distinct
