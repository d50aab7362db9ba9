"""Where findings are printed: JSON of any finding, the console of tables, and marks that the tables share."""

import dataclasses
import json
import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
from click.core import ParameterSource
from rich.console import Console
from rich.table import Table
from rich.text import Text

from infersight_analysis.destination import replaced
from infersight_analysis.errors import AnalysisError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Finding = TypeVar("Finding", bound="DataclassInstance")
PIPED_WIDTH: Final = 120
_BLOCKS: Final = " ▏▎▍▌▋▊▉█"
_HEIGHTS: Final = "▁▂▃▄▅▆▇█"


def console() -> Console:
    """The console on stdout; as wide as the terminal, or `PIPED_WIDTH` where there is none."""
    return Console(width=None if sys.stdout.isatty() else PIPED_WIDTH, highlight=False)


def print_json(finding: "DataclassInstance") -> None:
    """Print a finding as one JSON object."""
    click.echo(to_json(finding))


def to_json(finding: "DataclassInstance") -> str:
    """A finding as a JSON object: the fields of its dataclass."""
    fields: dict[str, Any] = dataclasses.asdict(finding)
    return json.dumps(fields, ensure_ascii=False, indent=2, allow_nan=False)


def publish(form: str, output: Path | None, print_table: Callable[[], None], text: Callable[[], str | bytes]) -> None:
    """Give a finding in the form that was asked for, to a file or to stdout.

    Args:
        form: `table`, or what `text` gives.
        output: the file, which appears whole or not at all; stdout without one.
        print_table: prints the table to stdout.
        text: the finding in another form; bytes stay as they are.

    Raises:
        AnalysisError: the file cannot be written, or the form is not for a terminal.
    """
    if output is None:
        if form in {"html", "svg", "pprof"} and sys.stdout.isatty():
            raise AnalysisError(f"{form} is not for a terminal: give --output FILE, or pipe it")
        if form == "table":
            print_table()
        else:
            content = text()
            click.echo(content, nl=isinstance(content, str))
        return
    if form == "table":
        with redirect_stdout(StringIO()) as printed:
            print_table()
        said: str | bytes = printed.getvalue()
    else:
        content = text()
        said = f"{content}\n" if isinstance(content, str) else content
    with replaced(output) as file:
        file.write(said.encode("utf-8", "replace") if isinstance(said, str) else said)


def publish_finding(
    form: str,
    output: Path | None,
    found: Finding,
    print_table: Callable[[Finding], None],
    page: Callable[[Finding], str],
) -> None:
    """Give a finding as a table, as JSON, or as a page of HTML, to a file or to stdout.

    Args:
        form: `table`, `json` or `html`.
        output: the file, which appears whole or not at all; stdout without one.
        found: the finding.
        print_table: prints its table to stdout.
        page: its page.

    Raises:
        AnalysisError: the file cannot be written, or the form is not for a terminal.
    """
    text = to_json if form == "json" else page
    publish(form, output, lambda: print_table(found), lambda: text(found))


def command(verb: str, argument: str) -> str:
    """A command to try next, that works as it is printed: with the store that this one was given."""
    context = click.get_current_context(silent=True)
    if context is None or context.get_parameter_source("store") is not ParameterSource.COMMANDLINE:
        return f"infersight {verb} {argument}"
    return f"infersight {verb} {argument} --store {shlex.quote(str(context.params['store']))}"


def print_next(out: Console, verb: str, argument: str) -> None:
    """Print the command to try next below all else, on one line so that it can be copied.

    Args:
        out: from `console`.
        verb: see `command`.
        argument: of it.
    """
    out.print(Text("\n" + command(verb, argument), style="dim"), soft_wrap=True)


def plain_table(*, headed: bool = True) -> Table:
    """A table without lines, its columns two spaces apart."""
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", show_header=headed)


def bar(start: float, end: float, width: int) -> str:
    """A horizontal bar of block characters with eighths at its right end.

    Args:
        start: where it begins, as a share of the width, 0 to 1.
        end: where it ends.
        width: characters in all.
    """
    first = min(int(start * width), width - 1)
    eighths = max(1, round((end * width - first) * 8))
    full, rest = divmod(eighths, 8)
    text = " " * first + "█" * full + (_BLOCKS[rest] if rest else "")
    return text[:width].ljust(width)


def sparkline(values: Sequence[float]) -> str:
    """A bar for each value, as high as it is against the largest; a space for 0, nothing where all are."""
    largest = max(values, default=0)
    if largest <= 0:
        return ""
    return "".join(" " if value <= 0 else _HEIGHTS[min(7, int(value / largest * 8))] for value in values)


def short_size(count: int) -> str:
    """A number of bytes for people, three digits and a unit of 1 000: `63 B`, `1.25 MB`."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5:
            return f"{count} B" if unit == "B" else f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} TB"


def joined(*parts: object) -> str:
    """What is there of the parts, with dots between."""
    return " · ".join(str(part) for part in parts if part)


def clipped(text: str, width: int) -> str:
    """A text that fits the width, with an ellipsis where something is left out."""
    return text if len(text) <= width else text[: width - 1] + "…"
