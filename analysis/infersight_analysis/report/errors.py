"""The groups of errors on the terminal."""

from collections.abc import Mapping
from typing import Final

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from infersight_analysis.findings import ErrorGroup, ErrorGroups, Touched
from infersight_analysis.report.output import command, console, joined, plain_table, sparkline

_SHOWN: Final = 3
_STATE_STYLES: Final = {"new": "bold red", "regressed": "bold red", "rarer": "green"}


def print_errors(found: ErrorGroups) -> None:
    """Print each group: what, how often, where, since when, of what kind, and a trace to look into."""
    out = console()
    if not found.errors:
        out.print("no errors in this time")
        return
    out.print(f"[bold]{_number(found.count)} failures[/] of {_counted(found.found, 'kind')}")
    out.print(Text(_categories(found.categories), style="dim"))
    for group in found.errors:
        out.print()
        out.print(_title(group))
        out.print(Padding(_facts(group), (0, 0, 0, 2), expand=False))
    if found.found > len(found.errors):
        out.print(Text(f"\n... and {found.found - len(found.errors)} rarer kinds (--limit)", style="dim"))


def _title(group: ErrorGroup) -> Text:
    message = group.message.strip().partition("\n")[0]
    title = Text.assemble((f"{_number(group.count)} x ", "bold red"), (group.type, "bold"), f"  {message}")
    if group.state in _STATE_STYLES:
        title.append(f"  {group.state}", style=_STATE_STYLES[group.state])
    return title


def _facts(group: ErrorGroup) -> Table:
    table = plain_table(headed=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, fact in facts(group).items():
        if fact:
            table.add_row(name, Text(fact))
    return table


def facts(group: ErrorGroup) -> Mapping[str, str | None]:
    """What to know of a kind of error, by a word that says what; None of what is not known."""
    times = group.first_seen[:23].replace("T", " ")
    if group.last_seen != group.first_seen:
        times += f" to {group.last_seen[:23].replace('T', ' ')}"
    rate = None if group.per_minute is None else f"{group.per_minute:.3g} a minute"
    share = None if group.share_of_requests is None else f"{100 * group.share_of_requests:.3g} % of requests"
    return {
        "at": group.location,
        "raised for": " < ".join(group.chain[1:]),
        "in": joined(", ".join(group.services), ", ".join(group.versions), ", ".join(group.routes)),
        "seen": joined(times, sparkline(group.trend)),
        "rate": joined(rate, share),
        "since then": None if group.state is None else f"{group.state}: {group.state_reason}",
        "touched": joined(*(_touched(name, group.touched[name], group.count) for name in ("users", "sessions"))),
        "kind": f"{group.category.replace('_', ' ')}: {group.category_reason}",
        "led to": "; ".join(
            f"{_number(each.count)} x {each.type} in {', '.join(each.services) or '?'}"
            for each in group.led_to[:_SHOWN]
        ),
        "recorded by": ", ".join(_counted(count, source) for source, count in sorted(group.sources.items())),
        "look into": command("investigate", group.examples[0]) if group.examples else None,
    }


def _touched(name: str, touched: Touched, count: float) -> str | None:
    if not touched.count:
        return None
    least = "at least " if touched.known < count else ""
    most = ", ".join(f"{value} {_number(failures)}" for value, failures in list(touched.most.items())[:_SHOWN])
    return f"{least}{_counted(touched.count, name[:-1])} ({most})"


def _categories(categories: Mapping[str, float]) -> str:
    return joined(*(f"{category.replace('_', ' ')} {_number(count)}" for category, count in categories.items()))


def _number(value: float) -> str:
    return f"{value:,.6g}"


def _counted(count: int, what: str) -> str:
    plural = {"span status": "span statuses"}.get(what, f"{what}s")
    return f"{count} {what if count == 1 else plural}"
