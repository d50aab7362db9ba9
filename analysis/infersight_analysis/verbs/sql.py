"""`infersight sql`: a query, and its rows in any form; without a query, a prompt."""

import sys
from pathlib import Path
from typing import Final, TextIO

import click
import duckdb

from infersight_analysis import options
from infersight_analysis.errors import AnalysisError
from infersight_analysis.mistakes import explained
from infersight_analysis.options import Window
from infersight_analysis.report.output import console
from infersight_analysis.report.results import FORMATS, Question, form_of
from infersight_analysis.session import opened
from infersight_analysis.statements import read_only

TABLE_ROWS: Final = 1_000
"""Most rows of a table on stdout; the other forms, and files, have all."""


@click.command(name="sql")
@click.argument("query", required=False)
@click.option("-f", "--file", "file", type=click.File(encoding="utf-8"), help="Read the query from a file; - is stdin.")
@options.STORE
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="How to write; what the name of --output says, a table on a terminal, json when piped.",
)
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write to a file, whole or not.")
@click.option("--timeout", metavar="DURATION", help="End it after so long, as in 30s.")
@options.window
def sql_command(
    *,
    query: str | None,
    file: TextIO | None,
    store: Path,
    form: str | None,
    output: Path | None,
    timeout: str | None,
    window: Window,
) -> None:
    """Ask the store in SQL, DuckDB's dialect.

    QUERY is one SELECT (or FROM, WITH, DESCRIBE, SUMMARIZE, EXPLAIN) over the views spans, logs, metrics, exemplars,
    span_events, span_links, traces, predictions, deployments and attribute_keys. Without QUERY it is read from
    stdin; on a terminal there is a prompt instead, with completion, where .help lists its commands. With --last or
    --start and --end the views hold only rows of that time.

    JSON is an array of objects, one a row: integers exact, times ISO 8601 with nanoseconds, nested values as they
    are; NaN and infinities are the texts "NaN", "Infinity" and "-Infinity", bytes base64. Arrow is an IPC stream.

    \b
    infersight sql "select name, count(*) from spans group by 1"
    infersight sql "from logs" --last 1h --output logs.parquet
    """  # noqa: D301 - click's mark for lines that stay lines
    if query is None and file is None and sys.stdin.isatty() and sys.stdout.isatty() and output is None:
        _prompt(store, window, form, timeout)
        return
    form = form or (form_of(output) if output else "table" if sys.stdout.isatty() else "json")
    text = _query(query, file)
    with opened(
        store, start_ns=window.start_ns, end_ns=window.end_ns, timeout=timeout, create_when_named=True
    ) as connection:
        try:
            _answer(Question(connection, read_only(connection, text)), form, output)
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            raise explained(connection, text, error) from error


def _answer(question: Question, form: str, output: Path | None) -> None:
    if output is not None:
        question.write_file(form, output)
    elif form == "table":
        grid = question.look(TABLE_ROWS)
        grid.print(console())
        if grid.more:
            click.echo(f"the first {TABLE_ROWS} rows; --format json or csv has all", err=True)
    else:
        question.write_stdout(form)


def _prompt(store: Path, window: Window, form: str | None, timeout: str | None) -> None:
    from infersight_analysis.prompt.shell import Shell  # noqa: PLC0415 - only a terminal needs its line editor

    Shell(store, window, form or "table", timeout).run()


def _query(query: str | None, file: TextIO | None) -> str:
    if query is not None and file is not None:
        raise AnalysisError("give the query either as an argument or with --file")
    if query is not None and query != "-":
        return query
    if file is not None:
        return file.read()
    if sys.stdin.isatty():
        raise AnalysisError('give a query: infersight sql "select count(*) from spans"')
    return sys.stdin.read()
