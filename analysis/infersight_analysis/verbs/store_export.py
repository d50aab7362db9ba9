"""`infersight store export`: rows of a store for others."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import click
import duckdb

from infersight_analysis import options
from infersight_analysis.destination import created, replaced
from infersight_analysis.errors import AnalysisError
from infersight_analysis.export.selection import EVERYTHING, Selection, of_traces
from infersight_analysis.options import Window
from infersight_analysis.progress import Progress
from infersight_analysis.session import opened
from infersight_analysis.watching import watched
from infersight_collector.store.snapshot import Snapshot

FORMS: Final = ("parquet", "otlp", "duckdb")
_BY_SUFFIX: Final = {"": "parquet", ".json": "otlp", ".jsonl": "otlp", ".duckdb": "duckdb"}


@click.command(name="export")
@options.STORE
@click.option(
    "-o", "--output", metavar="PATH", required=True, type=click.Path(path_type=Path), help="What to write, see above."
)
@click.option(
    "--format", "form", type=click.Choice(FORMS), help="What to write; by default what the name of --output says."
)
@click.option("--trace", "traces", metavar="ID", multiple=True, help="Only this trace; may be given several times.")
@options.window
def export_command(store: Path, output: Path, form: str | None, traces: tuple[str, ...], window: Window) -> None:
    """Write rows of a store as plain Parquet, as OTLP, or as one DuckDB file to attach to a ticket.

    \b
    DIRECTORY      the views as Parquet, a directory each, for pandas, Spark, ...
    FILE.jsonl     OTLP/JSON, a request a line, as `infersight import` takes it
    FILE.duckdb    tables, views and macros, to be opened by DuckDB alone

    With --trace, spans, logs and exemplars of these traces, and the metrics of the processes that served them from a
    minute before to a minute after.
    """  # noqa: D301 - click's mark for lines that stay lines
    form = form or _form_of(output)
    with opened(store, start_ns=window.start_ns, end_ns=window.end_ns) as connection:
        selection = of_traces(connection, traces) if traces else EVERYTHING
        summary = _EXPORTS[form](Export(store, window, selection, connection), output)
    click.echo(f"{summary} in {output}", err=True)


def _form_of(output: Path) -> str:
    form = _BY_SUFFIX.get(output.suffix.lower())
    if form is None:
        raise AnalysisError(f"no form is known by the name {output.name}: give --format, one of {', '.join(FORMS)}")
    return form


class Export(NamedTuple):
    """What to export."""

    store: Path
    window: Window
    selection: Selection
    connection: duckdb.DuckDBPyConnection


def _parquet(export: Export, output: Path) -> str:
    from infersight_analysis.export.parquet import write_parquet  # noqa: PLC0415 - loads Arrow

    with _in_progress(export.connection) as progress, created(output) as folder:
        folder.mkdir()
        write_parquet(export.connection, export.selection, folder, progress)
    return progress.summary


def _otlp(export: Export, output: Path) -> str:
    from infersight_analysis.export.otlp import write_otlp  # noqa: PLC0415 - loads the encoder

    with _in_progress(export.connection) as progress, replaced(output) as file:
        write_otlp(export.connection, export.selection, file, progress)
    return progress.summary


def _duckdb(export: Export, output: Path) -> str:
    from infersight_analysis.export.database_file import fill, open_database  # noqa: PLC0415 - only one of the three

    with created(output) as draft, open_database(draft) as target:
        with _in_progress(target) as progress:
            progress.rows = fill(target, Snapshot.of(export.store), export.window, export.selection)
        target.close()
    return progress.summary


@contextmanager
def _in_progress(connection: duckdb.DuckDBPyConnection) -> Generator[Progress]:
    """Progress on the terminal, and an end on Ctrl-C."""
    progress = Progress(connection)
    try:
        with watched(connection, progress.tick):
            yield progress
    finally:
        progress.clear()


_EXPORTS: Final = {"parquet": _parquet, "otlp": _otlp, "duckdb": _duckdb}
