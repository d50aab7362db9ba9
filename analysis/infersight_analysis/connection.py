"""DuckDB's connection, with one clear line where a file of the store cannot be read."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar, cast
from weakref import WeakKeyDictionary

import duckdb

from infersight_analysis.definitions import Pending
from infersight_analysis.unreadable import explanation

P = ParamSpec("P")
T = TypeVar("T")

_STATED: Final = ("execute", "executemany", "sql", "query")
"""The methods whose first argument is a statement."""

_READING: Final = (
    "fetchone",
    "fetchmany",
    "fetchall",
    "fetchnumpy",
    "fetchdf",
    "fetch_df",
    "fetch_df_chunk",
    "df",
    "to_arrow_table",
    "to_arrow_reader",
)
"""The other methods that may come upon a file."""

_pending: WeakKeyDictionary[duckdb.DuckDBPyConnection, Pending] = WeakKeyDictionary()
"""What is not created yet of a connection's database; a connection holds no attributes of ours."""


class Connection(duckdb.DuckDBPyConnection):
    """A connection that raises `UnreadableFileError` where DuckDB would say that it cannot read some bytes.

    In `with connect(...)` so do the relations that it makes, at the end of the block; elsewhere those raise DuckDB's.
    """

    __slots__ = ()
    __module__ = duckdb.DuckDBPyConnection.__module__  # pandas and Polars know the connection by that

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection) -> "Connection":
        """The same connection, of this class: DuckDB makes connections itself, and of its own class alone."""
        connection.__class__ = cls
        return cast("Connection", connection)

    def cursor(self) -> "Connection":
        """Another connection to the same database."""
        other = Connection.of(super().cursor())
        if (pending := _pending.get(self)) is not None:
            _pending[other] = pending
        return other

    def create_when_named(self, pending: Pending) -> None:
        """Create views and macros when a statement names them that is given to this connection or its cursors.

        A statement that reaches the database in another way, as by the methods of a relation, finds only what is there.
        """
        _pending[self] = pending

    def __exit__(self, exc_type: object, exc: object, traceback: object) -> None:
        """Close it; an error of DuckDB about a file leaves the block as what it means."""
        if isinstance(exc, duckdb.Error):
            unreadable = explanation(self, exc)
            if unreadable is not None and unreadable is not exc:
                self.close()
                raise unreadable from exc
        super().__exit__(exc_type, exc, traceback)


def _explaining(method: Callable[Concatenate[Connection, P], T]) -> Callable[Concatenate[Connection, P], T]:
    @wraps(method)
    def explained(self: Connection, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(self, *args, **kwargs)
        except duckdb.Error as error:
            if (unreadable := explanation(self, error)) is not None:
                raise unreadable from error
            raise

    return explained


def _naming(method: Callable[Concatenate[Connection, P], T]) -> Callable[Concatenate[Connection, P], T]:
    @wraps(method)
    def named(self: Connection, /, *args: P.args, **kwargs: P.kwargs) -> T:
        pending = _pending.get(self)
        if pending is None:
            return method(self, *args, **kwargs)
        pending.create(self, args[0] if args and isinstance(args[0], str) else None)
        try:
            return method(self, *args, **kwargs)
        except duckdb.CatalogException:
            # It may name something in a way that was not seen; if not, the error shows names like it.
            if not pending.create(self):
                raise
            return method(self, *args, **kwargs)

    return named


for _name in (*_STATED, *_READING):
    _method: Any = getattr(duckdb.DuckDBPyConnection, _name)
    setattr(Connection, _name, _explaining(_naming(_method) if _name in _STATED else _method))
