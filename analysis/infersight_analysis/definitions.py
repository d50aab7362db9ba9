"""Views and macros that are created when a statement names them: all of them take longer than most questions."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Final

import duckdb

_WORD: Final = re.compile(r"(?:\bstored\.)?\w+")
_NO_NAMES: Final = re.compile(r"--[^\n]*|'(?:[^']|'')*'|\bas\s+\w+")
"""Comments, texts, and what something is called from there on."""
_CATALOGUES: Final = ("duckdb_", "information_schema", "pg_", "sqlite_")
"""How names begin of what tells which views and macros there are."""

_QUESTIONS: Final = frozenset({"show", "describe", "pragma"})
"""Words that ask for that."""


@dataclass(frozen=True)
class Definition:
    """A view or a macro.

    Args:
        name: its name, with the schema `stored` where it is in that.
        statement: gives the statement that creates it.
        keyword: that calls it, too.
    """

    name: str
    statement: Callable[[], str]
    keyword: str | None = None

    def is_named_by(self, words: Collection[str]) -> bool:
        """Whether one of the words is its name."""
        return self.name in words or self.keyword in words


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
            connection: to the database. A result that it has stays readable; while that is read it sees nothing new.
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
        if _asks_what_there_is(words):
            return iter(self._definitions)
        found: set[str] = set()
        while new := {each.name for each in self._definitions if each.is_named_by(words)} - found:
            found |= new
            texts = (each.statement() for each in self._definitions if each.name in new)
            words = set[str]().union(*(_words(_NO_NAMES.sub(" ", text)) for text in texts))
        return (each for each in self._definitions if each.name in found)


def _asks_what_there_is(words: set[str]) -> bool:
    # `desc` by itself does, too; with more it is mostly of an ORDER BY.
    return words == {"desc"} or not words.isdisjoint(_QUESTIONS) or any(word.startswith(_CATALOGUES) for word in words)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))
