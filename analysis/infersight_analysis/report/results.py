"""A query's result in the form that was asked for, to a file or to stdout."""

import codecs
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, TextIO, cast

import duckdb
from rich.console import Console

from infersight_analysis.destination import replaced
from infersight_analysis.errors import AnalysisError
from infersight_analysis.progress import Progress
from infersight_analysis.report.output import PIPED_WIDTH
from infersight_analysis.report.rows import Grid, write_csv, write_json
from infersight_analysis.results import Result, run
from infersight_analysis.watching import watched

FORMATS: Final = ("table", "json", "csv", "parquet", "arrow")
"""What `--format` takes; `arrow` is an IPC stream."""

_COLUMNAR: Final = ("parquet", "arrow", "arrow-file")
_TEXT: Final = {"json": write_json, "csv": write_csv}
_BY_SUFFIX: Final = {
    ".arrow": "arrow-file",
    ".arrows": "arrow",
    ".csv": "csv",
    ".json": "json",
    ".parquet": "parquet",
    ".txt": "table",
}


def form_of(path: Path) -> str:
    """The form that a file's name asks for.

    Raises:
        AnalysisError: none of those that there are.
    """
    form = _BY_SUFFIX.get(path.suffix.lower())
    if form is None:
        known = " ".join(_BY_SUFFIX)
        raise AnalysisError(f"no format is known by the name {path.name}: give --format, or one of {known}")
    return form


@dataclass(frozen=True)
class Question:
    """A query to answer.

    Args:
        connection: from `connect`.
        query: one SELECT or EXPLAIN.
    """

    connection: duckdb.DuckDBPyConnection
    query: str

    def write_file(self, form: str, path: Path) -> Progress:
        """Write the result to a file, which appears whole or not at all.

        Args:
            form: one of `FORMATS`, or `arrow-file`.
            path: the file; what is there is replaced.

        Raises:
            AnalysisError: the file cannot be written.
            duckdb.Error: the query is wrong, or takes too long.
        """
        with self._in_progress(shown=True) as progress, replaced(path) as file:
            if form in _COLUMNAR:
                self._write_columns(form, file, progress)
                return progress
            out = cast("TextIO", codecs.getwriter("utf-8")(file))
            if form == "table":
                self._grid(None, progress).print(Console(file=out, width=PIPED_WIDTH, highlight=False))
            else:
                _TEXT[form](self._run(), out, progress)
        return progress

    def write_stdout(self, form: str) -> Progress:
        """Write the result to stdout, a table aside.

        Raises:
            AnalysisError: the form is not for a terminal.
            duckdb.Error: the query is wrong, or takes too long.
        """
        on_terminal = sys.stdout.isatty()
        if on_terminal and form in _COLUMNAR:
            raise AnalysisError(f"{form} is not for a terminal: give --output FILE, or pipe it")
        with self._in_progress(shown=not on_terminal) as progress:
            if form in _COLUMNAR:
                self._write_columns(form, sys.stdout.buffer, progress)
            else:
                _TEXT[form](self._run(), sys.stdout, progress)
        return progress

    def look(self, limit: int) -> Grid:
        """The first rows, at most `limit`.

        Raises:
            duckdb.Error: the query is wrong, or takes too long.
        """
        with self._in_progress(shown=True) as progress:
            return self._grid(limit, progress)

    @contextmanager
    def _in_progress(self, *, shown: bool) -> Generator[Progress]:
        progress = Progress(self.connection, shown=shown)
        try:
            with watched(self.connection, progress.tick):
                yield progress
        finally:
            self.connection.abort()  # the rest of a result that was not read to its end
            progress.clear()

    def _run(self) -> Result:
        return run(self.connection, self.query)

    def _grid(self, limit: int | None, progress: Progress) -> Grid:
        return Grid(self._run(), limit, progress)

    def _write_columns(self, form: str, sink: BinaryIO, progress: Progress) -> None:
        from infersight_analysis.report.columnar import write_columns  # noqa: PLC0415 - loads Arrow

        write_columns(self.connection, self.query, form, sink, progress)
