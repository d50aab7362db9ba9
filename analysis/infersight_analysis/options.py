"""The options that verbs share, and what they become."""

import functools
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from infersight_analysis.errors import AnalysisError
from infersight_analysis.times import parse_duration, parse_time

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Window:
    """From `start_ns` on and before `end_ns`, nanoseconds since the epoch; None is without bound."""

    start_ns: int | None = None
    end_ns: int | None = None

    @classmethod
    def of(cls, last: str | None, start: str | None, end: str | None) -> "Window":
        """The window that the options name.

        Raises:
            AnalysisError: they contradict each other, or a time is none.
        """
        if last is not None:
            if start is not None or end is not None:
                raise AnalysisError("give either --last or --start and --end")
            now = time.time_ns()
            return cls(now - parse_duration(last), now)
        window = cls(parse_time(start) if start else None, parse_time(end) if end else None)
        if window.start_ns is not None and window.end_ns is not None and window.start_ns >= window.end_ns:
            raise AnalysisError("--start must be before --end")
        return window

    @classmethod
    def between(cls, text: str) -> "Window":
        """The window that is written as `START..END`.

        Raises:
            AnalysisError: it is none.
        """
        start, dots, end = text.partition("..")
        if not dots:
            raise AnalysisError(f"a window is written as START..END, both ISO 8601, not {text!r}")
        window = cls(parse_time(start), parse_time(end))
        if (window.start_ns or 0) >= (window.end_ns or 0):
            raise AnalysisError(f"the window {text} ends before it starts")
        return window

    def widened(self, margin_ns: int) -> "Window":
        """It with a margin before and after; what is without bound stays so."""
        return Window(
            None if self.start_ns is None else self.start_ns - margin_ns,
            None if self.end_ns is None else self.end_ns + margin_ns,
        )


def _resolve_format(_context: click.Context | None, _parameter: click.Parameter | None, value: str | None) -> str:
    return value or ("table" if sys.stdout.isatty() else "json")


STORE: Final = click.option(
    "--store",
    type=click.Path(path_type=Path),
    envvar="INFERSIGHT_STORE",
    default=Path("infersight-store"),
    show_default=True,
    show_envvar=True,
    help="Directory of the store.",
)
SERVICE: Final = click.option("--service", metavar="NAME", help="Only this service.")
ROUTE: Final = click.option("--route", metavar="ROUTE", help="Only this route, or span name.")
CALLED_MODEL: Final = click.option("--model", metavar="NAME", help="Only requests in which this model was called.")

WHAT_IF: Final = click.option(
    "--what-if",
    "what_if",
    metavar="OPERATION=-N%",
    multiple=True,
    help="What if the own time of these spans were less or more? May be repeated.",
)


def output_format(*formats: str) -> Callable[[F], F]:
    """`--format`, one of `formats`; a table on a terminal, JSON elsewhere."""
    help_text = "How to print; a table on a terminal, json when piped."
    return click.option("--format", "form", type=click.Choice(formats), callback=_resolve_format, help=help_text)


FORMAT: Final = output_format("table", "json")


_SUFFIXES: Final = {
    ".html": "html",
    ".htm": "html",
    ".svg": "svg",
    ".folded": "folded",
    ".gz": "pprof",  # by custom `.pb.gz`
    ".json": "json",
    ".txt": "table",
}


def report(*formats: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--format`, one of `formats`, and `--output`, passed as `form` and `output`.

    Without `--format` the name of the file says it; else it is a table on a terminal, JSON elsewhere.
    """

    def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
        @click.option(
            "--format",
            "form",
            type=click.Choice(formats),
            help="How to print; by default as FILE is named, else a table, json when piped.",
        )
        @click.option("--output", metavar="FILE", type=click.Path(path_type=Path), help="Write it to this file.")
        @functools.wraps(function)
        def with_form(*args: Any, form: str | None, output: Path | None, **kwargs: Any) -> Any:
            named = None if output is None else _SUFFIXES.get(output.suffix.lower())
            form = form or (named if named in formats else None) or _resolve_format(None, None, None)
            return function(*args, form=form, output=output, **kwargs)

        return with_form

    return decorated


def window(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--last`, `--start` and `--end`, passed as the argument `window`."""

    @click.option("--last", metavar="DURATION", help="Up to now, as in 15m or 2h.")
    @click.option("--start", metavar="TIME", help="From this time on, ISO 8601.")
    @click.option("--end", metavar="TIME", help="Before this time, ISO 8601.")
    @functools.wraps(function)
    def with_window(*args: Any, last: str | None, start: str | None, end: str | None, **kwargs: Any) -> Any:
        return function(*args, window=Window.of(last, start, end), **kwargs)

    return with_window
