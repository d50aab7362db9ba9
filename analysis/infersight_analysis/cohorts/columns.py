"""Columns of a table as arrays, one after the other, all of them in the same order.

DuckDB keeps the order of the files it scans, whatever columns are asked for. So the columns of one snapshot fit
together row by row, without a join and without all of them in memory at once.
"""

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Codes = npt.NDArray[np.int32]

NO_VALUE: Final = 0
"""The hash of null."""


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

    def column(self, expression: str) -> npt.NDArray[Any]:
        """One value a row of an expression that is never null."""
        with self.connection.cursor() as cursor:
            return self._read(cursor, expression)

    def columns(self, expressions: Sequence[str]) -> Generator[npt.NDArray[Any]]:
        """One array for each expression; the next one is read while the caller looks at this one."""
        with ThreadPoolExecutor(1) as reader, self.connection.cursor() as cursor:
            ahead = [reader.submit(self._read, cursor, expression) for expression in expressions[:1]]
            for following in (*expressions[1:], None):
                values = ahead.pop().result()
                if following is not None:
                    ahead.append(reader.submit(self._read, cursor, following))
                yield values
                del values

    def _read(self, connection: duckdb.DuckDBPyConnection, expression: str) -> npt.NDArray[Any]:
        sql = f"select {expression} as value from {self.view} where {self.where}"  # noqa: S608 - built by our code
        # By way of Arrow, which DuckDB fills with all its threads: half of the time of `fetchnumpy`.
        values: Any = connection.sql(sql).to_arrow_table().column(0).to_numpy()
        return np.asarray(values)


def hash_of(expression: str) -> str:
    """SQL of the 64-bit hash of an expression, `NO_VALUE` where it is null."""
    return f"if(({expression}) is null, {NO_VALUE}::ubigint, hash({expression}))"


def distinct_of(values: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """The distinct values, ascending, and how often each occurs; by sorting, which NumPy does faster than hashing."""
    ordered = np.sort(values)
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)) if len(ordered) else np.zeros(0, np.int64)
    return ordered[ends], np.diff(ends, prepend=-1)


def codes_of(values: npt.NDArray[Any]) -> tuple[Codes, npt.NDArray[Any]]:
    """Small integers in the place of values, which come in runs or are few.

    Returns:
        for each value its index among the distinct values, and these, ascending.
    """
    if not len(values):
        return np.zeros(0, np.int32), values
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    heads = values[starts]
    distinct = distinct_of(heads)[0]
    codes = np.searchsorted(distinct, heads).astype(np.int32)
    return np.repeat(codes, np.diff(starts, append=len(values))), distinct
