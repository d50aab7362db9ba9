"""Queries on the terminal."""

from rich.table import Table
from rich.text import Text

from infersight_analysis.findings import DatabaseQueries, QueryStatement
from infersight_analysis.report.output import console, joined, plain_table, print_next
from infersight_analysis.times import short_duration

_ROWS = 10
_SLOW_ROWS = 5
_STATEMENT = 200
"""Characters of a statement that are shown."""


def print_queries(found: DatabaseQueries) -> None:
    """Print what is made again and again, then each statement, the slowest calls, and the routes."""
    out = console()
    out.print(Text(headline(found), style="bold"))
    if not found.calls:
        return
    for title, table in (
        ("again and again", _repeated(found)),
        ("statements, by what requests wait for them", _statements(found)),
        ("the slowest", _slow(found)),
        ("routes, by how much they ask", _routes(found)),
    ):
        if table.row_count:
            out.print(Text(f"\n{title}", style="dim"))
            out.print(table)
    for trace in found.evidence.trace_ids[:1]:
        print_next(out, "investigate", trace)


def headline(found: DatabaseQueries) -> str:
    """How much there is."""
    if not found.requests:
        return "no requests in this time"
    counts = f"{_count(found.requests)} requests, {_count(found.calls)} queries"
    return joined(counts, f"{found.share:.1%} of the time of the requests" if found.calls else None)


def shortened(text: str) -> str:
    """A statement that is not too long to be read."""
    return text if len(text) <= _STATEMENT else f"{text[: _STATEMENT - 1]}…"


def described(statement: QueryStatement) -> str:
    """Whose it is."""
    return joined(statement.service, statement.system, statement.summary)


def _table(*headings: str, first: str) -> Table:
    table = plain_table()
    table.add_column(first, overflow="fold")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _repeated(found: DatabaseQueries) -> Table:
    table = _table("requests", "times", "most", "waited", first="statement")
    for each in found.repeated[:_ROWS]:
        where = joined(each.route, each.parent)
        table.add_row(
            _said(each.statement, where),
            f"{_count(each.requests)} ({each.share:.0%})",
            f"{each.median_calls:g}",
            f"{each.most_calls:,}",
            short_duration(each.waited_ns),
        )
    return table


def _statements(found: DatabaseQueries) -> Table:
    table = _table("calls", "a request", "p50", "p95", "p99", "share", "failed", first="statement")
    for each in found.statements[:_ROWS]:
        table.add_row(
            _said(each.statement, described(each)),
            _count(each.calls),
            f"{each.per_request:.3g}",
            *(short_duration(quantile) for quantile in (each.p50_ns, each.p95_ns, each.p99_ns)),
            f"{each.share:.1%}",
            f"{each.failed / each.calls:.1%}" if each.failed else "-",
        )
    return table


def _slow(found: DatabaseQueries) -> Table:
    table = _table("took", "waited", "trace", first="statement")
    for each in found.slow[:_SLOW_ROWS]:
        took = short_duration(each.duration_ns)
        table.add_row(
            _said(each.statement, joined(each.route, "failed" if each.failed else None)),
            took,
            short_duration(each.waited_ns),
            each.trace_id[:8],
        )
    return table


def _routes(found: DatabaseQueries) -> Table:
    table = _table("requests", "queries", "p95", "most", "statements", "waited", "share", first="route")
    for each in found.routes[:_ROWS]:
        table.add_row(
            Text(joined(each.route, each.service)),
            _count(each.requests),
            f"{each.mean_calls:.3g}",
            f"{each.p95_calls:.3g}",
            f"{each.most_calls:,}",
            f"{each.statements:.3g}",
            short_duration(each.waited_ns),
            f"{each.share:.1%}",
        )
    return table


def _said(statement: str, where: str) -> Text:
    return Text.assemble(shortened(statement), ("\n" + where, "dim"))


def _count(number: float) -> str:
    return f"{number:,.6g}"
