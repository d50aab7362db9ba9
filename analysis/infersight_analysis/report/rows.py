"""Rows of a query as JSON, CSV or a table."""

import csv
import json
from collections.abc import Sequence
from itertools import islice
from typing import Final, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from infersight_analysis.progress import Progress
from infersight_analysis.report.output import plain_table
from infersight_analysis.results import Json, Result

_NARROWEST: Final = 8
"""Characters that a column needs on average, its gap included; where the terminal has fewer, rows are records."""

_WHOLE: Final = 10**15
"""Doubles below it that are whole are shown as integers."""


def write_json(result: Result, out: TextIO, progress: Progress) -> None:
    """An array of objects, one a row, a line each."""
    separator = "["
    for row in result.objects():
        out.write(f"{separator}{json.dumps(row, ensure_ascii=False, allow_nan=False)}")
        separator = ",\n"
        progress.rows += 1
    out.write("[]\n" if separator == "[" else "]\n")


def write_csv(result: Result, out: TextIO, progress: Progress) -> None:
    """A header, and nested values as JSON; null is empty."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(result.columns)
    for row in result.rows:
        writer.writerow(["" if value is None else _text(value) for value in row])
        progress.rows += 1


class Grid:
    """The first rows of a result, to look at.

    Args:
        result: its rows are read here.
        limit: most rows to show; None shows all.
        progress: told of the rows.

    Attributes:
        more: whether there are rows beyond the limit.
        took: number of rows, and the time until they were there.
    """

    def __init__(self, result: Result, limit: int | None, progress: Progress) -> None:
        self._columns: Final = result.columns
        self._types: Final = result.types
        self._rows: Final = [_shown(row, result.types) for row in islice(result.rows, limit)]
        self.more: Final = next(result.rows, None) is not None
        progress.rows = len(self._rows)
        self.took: Final = progress.summary

    def print(self, console: Console) -> None:
        """Print it: a line a row, or, where the console is too narrow for that, a record a row."""
        if len(self._columns) * _NARROWEST <= console.width:
            console.print(self._table())
        else:
            self._print_records(console)

    def _table(self) -> Table:
        table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), collapse_padding=True)
        for name, kind in zip(self._columns, self._types, strict=True):
            numeric = kind.endswith("INT") or kind.startswith(("DECIMAL", "DOUBLE", "FLOAT", "INTEGER"))
            table.add_column(Text(name), justify="right" if numeric else "left", overflow="fold")
        for row in self._rows:
            table.add_row(*row)
        return table

    def _print_records(self, console: Console) -> None:
        for number, row in enumerate(self._rows, 1):
            console.print(f"[dim]row {number}[/]")
            record = plain_table(headed=False)
            record.add_column(style="bold", no_wrap=True)
            record.add_column(overflow="fold")
            for name, value in zip(self._columns, row, strict=True):
                record.add_row(Text(name), value)
            console.print(record)


def _shown(row: Sequence[Json], types: Sequence[str]) -> list[Text]:
    return [
        Text("null", style="dim") if value is None else Text(_short(value, kind))
        for value, kind in zip(row, types, strict=True)
    ]


def _short(value: Json, kind: str) -> str:
    """A value for the eye: no zeros at the end of a time, six digits of a double, no absent attributes."""
    if kind.startswith("TIMESTAMP"):
        whole, point, fraction = str(value).replace("T", " ").removesuffix("Z").partition(".")
        return f"{whole}{point}{fraction}".rstrip("0").rstrip(".") if point else whole
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < _WHOLE else f"{value:.6g}"
    return _text(present(value))


def present(value: Json) -> Json:
    """A value without the members that are null: a STRUCT of attributes has every key that occurs anywhere."""
    if isinstance(value, dict):
        members: dict[str, Json] = value  # pyright: ignore[reportUnknownVariableType] - of JSON
        return {key: present(member) for key, member in members.items() if member is not None}
    if isinstance(value, list):
        elements: list[Json] = value  # pyright: ignore[reportUnknownVariableType] - of JSON
        return [present(element) for element in elements]
    return value


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
