"""Completion of what is typed at the prompt."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from infersight_analysis.prompt.catalogue import Catalogue, Key

_KEY: Final = re.compile(r"(\w+)\[\s*'([^']*)$")
_WORD: Final = re.compile(r"\w*$")
_RELATION: Final = re.compile(r"\b(?:from|join|describe|summarize)\s+\w*$", re.IGNORECASE)
_OPEN_TEXT: Final = re.compile(r"^(?:[^']|'[^']*')*'[^']*$", re.DOTALL)
_LEAST: Final = 2
"""Letters from which on SQL's own words and functions are offered."""

# The keys of events and links are in a STRUCT of a column of spans, and in a column of views of their own.
_VIEWS_OF_KEYS: Final = {
    ("spans", "events.attributes"): ("span_events", "attributes"),
    ("spans", "links.attributes"): ("span_links", "attributes"),
}


class SqlCompleter(Completer):
    """Completes views, macros, columns, attribute keys, functions, keywords and the prompt's own commands.

    Args:
        commands: the commands that begin with a dot, each with what may follow it.
        catalogue: the names; exchanged when the snapshot is.
    """

    def __init__(self, commands: dict[str, Sequence[str]], catalogue: Catalogue) -> None:
        self._commands: Final = commands
        self.catalogue = catalogue

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:  # noqa: ARG002 - prompt_toolkit's interface
        """What may stand at the cursor, the likeliest first."""
        before = document.text_before_cursor
        if before.startswith("."):
            return self._command(before)
        statement = before.rpartition(";")[2]
        if key := _KEY.search(statement):
            return self._keys(key[1], key[2], statement, document.text_after_cursor)
        if _OPEN_TEXT.match(statement):
            return ()
        word = _WORD.search(statement)
        typed = word[0] if word else ""
        if _RELATION.search(statement):
            return _matching(typed, self._relations())
        return self._names(typed, statement + document.text_after_cursor) if typed else ()

    def _command(self, before: str) -> Iterator[Completion]:
        name, space, argument = before.partition(" ")
        if not space:
            yield from _matching(name, ((command, "") for command in self._commands))
        else:
            yield from _matching(argument, ((word, "") for word in self._commands.get(name, ())))

    def _relations(self) -> Iterator[tuple[str, str]]:
        yield from ((view, "view") for view in self.catalogue.views)
        yield from ((f"{name}(", _signature(parameters)) for name, parameters in self.catalogue.macros.items())

    def _names(self, typed: str, statement: str) -> Iterator[Completion]:
        mentioned = self._mentioned(statement) or list(self.catalogue.views)
        columns = {name: kind for view in mentioned for name, kind in self.catalogue.views[view].items()}
        yield from _matching(typed, ((name, shorten(kind)) for name, kind in columns.items()))
        yield from _matching(typed, self._relations())
        if len(typed) >= _LEAST:
            yield from _matching(typed, ((word, "") for word in self.catalogue.keywords))
            yield from _matching(typed, ((f"{name}(", "function") for name in self.catalogue.functions))

    def _keys(self, column: str, typed: str, before: str, after: str) -> Iterator[Completion]:
        mentioned = self._mentioned(before + after)
        closing = "" if after.startswith("'") else "']"
        found: dict[str, str] = {}
        for key in self.catalogue.keys:
            view, own_column = _VIEWS_OF_KEYS.get((key.table, key.column), (key.table, key.column))
            # Views without keys of their own, as predictions, have those of the table that they are made of.
            if own_column == column and (view in mentioned or not self._have_keys(mentioned)):
                found.setdefault(key.key, key.type)
        # By the beginning of any of its parts, for who knows `route` need not know `http.route`.
        matching = ((key, kind) for key, kind in found.items() if f".{typed.lower()}" in f".{key.lower()}")
        for name, kind in sorted(matching, key=lambda item: not item[0].startswith(typed)):
            yield Completion(f"{name}{closing}", start_position=-len(typed), display=name, display_meta=shorten(kind))

    def _mentioned(self, statement: str) -> list[str]:
        words = set(re.findall(r"\w+", statement.lower()))
        return [view for view in self.catalogue.views if view in words]

    def _have_keys(self, views: Sequence[str]) -> bool:
        return any(_view_of(key) in views for key in self.catalogue.keys)


def _view_of(key: Key) -> str:
    return _VIEWS_OF_KEYS.get((key.table, key.column), (key.table, key.column))[0]


def _matching(typed: str, candidates: Iterable[tuple[str, str]]) -> Iterator[Completion]:
    for name, meta in candidates:
        if name.lower().startswith(typed.lower()) and name != typed:
            yield Completion(name, start_position=-len(typed), display_meta=meta)


def _signature(parameters: Sequence[str]) -> str:
    return f"macro({', '.join(parameters)})"


def shorten(kind: str) -> str:
    """A type that fits beside a name."""
    return kind if len(kind) <= 20 else f"{kind.partition('(')[0]}(…)"
