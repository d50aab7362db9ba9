"""The check of a release on the terminal."""

from collections.abc import Sequence

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from infersight_analysis.findings import ReleaseCheck, ReleaseMeasure
from infersight_analysis.releases import wording
from infersight_analysis.report.output import console, joined, plain_table, print_next
from infersight_analysis.times import SECOND_NS, short_duration

_MOST_ROUTES = 8
_STYLES = {"keep": "bold green", "roll back": "bold red", "need more data": "bold yellow"}
_STANDINGS = {"over": "red", "within": "green", "undecided": "yellow"}


def print_release_check(found: ReleaseCheck) -> None:
    """Print the verdict with its reasons, then the figures that it was made from."""
    out = console()
    out.print(Text(headline(found), style=_STYLES[found.verdict]))
    out.print(Text(about(found), style="dim"))
    for title, lines in (("", found.reasons), ("investigate", found.investigate), ("notes", found.notes)):
        if not lines:
            continue
        out.print(Text(title, style="dim"))
        for line in lines:
            out.print(Padding(Text(line), (0, 0, 0, 2), expand=False))
    if found.measures:
        out.print()
        out.print(_table(found.measures))
    if found.routes:
        out.print(Text("\nby route", style="dim"))
        out.print(_table(found.routes[:_MOST_ROUTES]))
        more = len(found.routes) - _MOST_ROUTES
        if more > 0:
            out.print(Text(f"and {more:,} figures of routes more, see --format json", style="dim"))
    for trace in found.evidence.trace_ids[:1]:
        print_next(out, "investigate", trace)


def headline(found: ReleaseCheck) -> str:
    """The verdict in one line."""
    said = f"{found.verdict.upper()}: {found.service} {found.candidate.version}"
    if found.verdict == "need more data":
        waiting = found.more_seconds
        said += f", about {_waiting(waiting)} more at the present rate" if waiting else ""
    return said


def about(found: ReleaseCheck) -> str:
    """What was compared."""
    sides = (found.candidate, found.baseline)
    counted = " against ".join(f"{side.requests:,.6g} requests of {side.version}" for side in sides)
    return joined(counted, "side by side" if found.side_by_side else "one after the other")


def _waiting(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return short_duration(seconds * SECOND_NS)


def _table(measures: Sequence[ReleaseMeasure]) -> Table:
    table = plain_table()
    table.add_column("figure", overflow="fold")
    for heading in ("baseline", "candidate", "change", "interval", "limit"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for each in measures:
        table.add_row(
            Text(f"{each.route}: {each.name}" if each.route is not None else each.name),
            wording.figure(each.baseline, each.unit),
            wording.figure(each.candidate, each.unit),
            wording.change(each.change, is_relative=each.is_relative),
            wording.interval(each) if each.change is not None else "-",
            "-" if each.limit_text is None else each.limit_text,
            Text(standing(each), style=_STANDINGS.get(each.standing, "dim")),
        )
    return table


def standing(measure: ReleaseMeasure) -> str:
    """Where a measure stands, in a word or two."""
    words = {"over": "over", "within": "within", "undecided": "not known yet", "unknown": "unknown", "no limit": ""}
    said = words[measure.standing]
    return joined(said, measure.trend) if measure.trend in {"worse", "better", "moved"} and said != "over" else said
