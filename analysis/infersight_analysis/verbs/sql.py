"""`infersight sql`: a query, and its rows as a table, JSON or CSV."""

import csv
import json
import sys
from itertools import islice
from pathlib import Path
from typing import Final, TextIO

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table

from infersight_analysis import options
from infersight_analysis.errors import AnalysisError
from infersight_analysis.options import Window
from infersight_analysis.report.output import console
from infersight_analysis.results import Json, Result, run
from infersight_analysis.session import opened
from infersight_analysis.statements import read_only

TABLE_ROWS: Final = 1_000
"""Most rows of a table on the terminal; JSON and CSV have all."""


@click.command(name="sql")
@click.argument("query", required=False)
@click.option("-f", "--file", "file", type=click.File(encoding="utf-8"), help="Read the query from a file; - is stdin.")
@options.STORE
@options.output_format("table", "json", "csv")
@options.window
def sql_command(query: str | None, file: TextIO | None, store: Path, form: str, window: Window) -> None:
    r"""Ask the store in SQL, DuckDB's dialect.

    QUERY is one SELECT (or FROM, WITH, DESCRIBE, SUMMARIZE, EXPLAIN) over the views spans, logs, metrics, exemplars,
    span_events, span_links, traces, predictions, deployments and attribute_keys. Without QUERY it is read from
    stdin. With --last or --start and --end the views hold only rows of that time.

    JSON is an array of objects, one a row: integers exact, times ISO 8601 with nanoseconds, nested values as they
    are; NaN and infinities are the texts "NaN", "Infinity" and "-Infinity", bytes base64.

    \b
    infersight sql "select name, count(*) from spans group by 1"
    infersight sql "from attribute_keys"
    """
    text = _query(query, file)
    with opened(store, start_ns=window.start_ns, end_ns=window.end_ns) as connection:
        result = run(connection, read_only(connection, text))
        _PRINTERS[form](result)


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


def _print_json(result: Result) -> None:
    separator = "["
    for row in result.objects():
        sys.stdout.write(f"{separator}{json.dumps(row, ensure_ascii=False, allow_nan=False)}")
        separator = ",\n"
    sys.stdout.write("[]\n" if separator == "[" else "]\n")


def _print_csv(result: Result) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(result.columns)
    writer.writerows(["" if value is None else _text(value) for value in row] for row in result.rows)


def _print_table(result: Result) -> None:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name, kind in zip(result.columns, result.types, strict=True):
        numeric = kind.endswith("INT") or kind.startswith(("DECIMAL", "DOUBLE", "FLOAT", "INTEGER"))
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in islice(result.rows, TABLE_ROWS):
        table.add_row(*("[dim]null[/]" if value is None else _escape(_text(value)) for value in row))
    console().print(table)
    if next(result.rows, None) is not None:
        click.echo(f"the first {TABLE_ROWS} rows; --format json or csv has all", err=True)


def _escape(text: str) -> str:
    return text.replace("[", r"\[")


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


_PRINTERS: Final = {"json": _print_json, "csv": _print_csv, "table": _print_table}
