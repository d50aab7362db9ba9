"""Views and macros that are created when a statement names them: all of them take longer than most questions."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Final

import duckdb

_WORD: Final = re.compile(r"\w+")
_CATALOGUES: Final = ("duckdb_", "information_schema", "pg_", "sqlite_", "show", "desc", "pragma")
"""How the words begin that ask DuckDB which views and macros there are."""


@dataclass(frozen=True)
class Definition:
    """A view or a macro.

    Args:
        name: its name, without a schema.
        statement: gives the statement that creates it.
        always: whether it is needed by statements that do not name it.
    """

    name: str
    statement: Callable[[], str]
    always: bool = False


class Pending:
    """Definitions that are not in the database yet.

    Args:
        definitions: each after those that must be there when it is created; some may share a name.
    """

    def __init__(self, definitions: Iterable[Definition]) -> None:
        self._definitions = list(definitions)
        self._lock: Final = Lock()

    def create(self, connection: duckdb.DuckDBPyConnection, statement: str | None = None) -> bool:
        """Create what a statement names, and what that is made of.

        Every word of the statement counts as a name. One that asks what there is names everything.

        Args:
            connection: to the database. A result that it has stays readable, but while that is read it sees nothing new.
            statement: what will be executed; None for everything.

        Returns:
            Whether anything was created.
        """
        if not self._definitions:
            return False
        with self._lock:
            chosen = list(self._definitions if statement is None else self._named_in(statement))
            if chosen:
                # DuckDB's own method: the connection's would come back to here.
                with duckdb.DuckDBPyConnection.cursor(connection) as cursor:
                    for definition in chosen:
                        cursor.execute(definition.statement())
                        self._definitions.remove(definition)
            return bool(chosen)

    def _named_in(self, statement: str) -> Iterator[Definition]:
        words = _words(statement)
        if any(word.startswith(_CATALOGUES) for word in words):
            return iter(self._definitions)
        found: set[str] = set()
        new = {each.name for each in self._definitions if each.always or each.name in words}
        while new:
            found |= new
            texts = [each.statement() for each in self._definitions if each.name in new]
            within = set[str]().union(*map(_words, texts))
            new = {each.name for each in self._definitions if each.name in within} - found
        return (each for each in self._definitions if each.name in found)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))
