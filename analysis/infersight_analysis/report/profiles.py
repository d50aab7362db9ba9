"""Profiles on the terminal."""

from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from infersight_analysis.findings import OperatorTime, ProfileDifference, Profiles, ProfileSummary, ShownProfile
from infersight_analysis.report.output import (
    bar,
    clipped,
    command,
    console,
    joined,
    plain_table,
    print_next,
    short_size,
)
from infersight_analysis.times import SECOND_NS, short_duration

_FUNCTIONS: Final = 20
_OPERATORS: Final = 15
_TRACES: Final = 5
_NAMES: Final = 56
_CHANGED: Final = 42
_SERVICE: Final = 16
_LINE: Final = 98
_BAR: Final = 10
CLEAR: Final = 0.01
"""Share of false ones among the changes that are called clear."""


def print_profiles(found: Profiles) -> None:
    """Print a line for each profile."""
    out = console()
    if not found.profiles:
        out.print("no such profiles: take one, as by `infersight profile cpu --pid PID`")
        return
    table = _table("profile", "service", "took>", "measured>", "command")
    table.expand, table.columns[-1].ratio = True, 1  # the command is cut, nothing else
    for each in found.profiles:
        table.add_row(
            each.id,
            Text(clipped(each.service or "?", _SERVICE)),
            short_duration(each.duration_ns),
            f"{each.total:,} samples" if each.unit == "samples" else amount(each.total, each),
            Text(each.command),
        )
    out.print(table)


def print_profile(found: ShownProfile) -> None:
    """Print what a profile was of, its functions, its operators, and the traces of its process."""
    out, profile = console(), found.profile
    for line in about(profile):
        out.print(Text(line, style="bold" if line == profile.id else ""), soft_wrap=True)
    out.print(_operators(found.operators) if found.operators else _functions(found))
    if found.operators and any(one.is_transfer for one in found.operators):
        transfers = sum(one.self_device_ns for one in found.operators if one.is_transfer)
        out.print(Text(f"copies to, from and on the device: {short_duration(transfers)}"))
    _print_traces(out, found)
    print_next(out, "profile show", f"{profile.id} --output profile.html")


def about(profile: ProfileSummary) -> list[str]:
    """What a profile was of, in lines."""
    lines = [
        profile.id,
        joined(f"process {profile.pid}", profile.service, short_duration(profile.duration_ns)),
        clipped(profile.command, _LINE),
        f"{amount(profile.total, profile)}, {_meaning(profile)}",
        profile.note or "",
    ]
    return [line for line in lines if line]


def _meaning(profile: ProfileSummary) -> str:
    if profile.unit == "bytes":
        return "allocated at the peak by what was followed"
    if profile.unit == "us":
        return "in operators"
    return f"{profile.rate:g} looks a second at the threads that were running"


def amount(value: float, profile: ProfileSummary) -> str:
    """A number of a profile's unit for people; samples as the time that they stand for, too."""
    if profile.unit == "bytes":
        return short_size(round(value))
    if profile.unit == "us":
        return short_duration(value * 1_000)
    seconds = short_duration(value / profile.rate * SECOND_NS) if profile.rate else ""
    return f"{value:,.0f} samples" + (f" ({seconds})" if seconds else "")


def _functions(found: ShownProfile) -> Table:
    table = _table("function", "own>", "", "with calls>")
    for share in found.functions[:_FUNCTIONS]:
        if share.own_share < 0.0005 and share.total_share < 0.0005:
            continue
        table.add_row(
            Text(_tail(share.function, _NAMES)),
            f"{share.own_share:.1%}",
            Text(bar(0, share.own_share, _BAR) if share.own else "", style="cyan"),
            f"{share.total_share:.1%}",
        )
    if len(found.functions) > _FUNCTIONS:
        table.add_row(Text(f"{len(found.functions) - _FUNCTIONS} others", style="dim"))
    return table


def _operators(operators: list[OperatorTime]) -> Table:
    on_device = any(one.self_device_ns for one in operators)
    table = _table(
        "operator",
        "shapes",
        "calls>",
        "own CPU>",
        "CPU>",
        *(["own device>", "device>"] if on_device else []),
        "memory>",
    )
    for one in operators[:_OPERATORS]:
        device = [short_duration(one.self_device_ns), short_duration(one.device_ns)] if on_device else []
        table.add_row(
            Text(clipped(one.name, _NAMES)),
            Text(clipped(" ".join("x".join(map(str, shape)) for shape in one.shapes), 30), style="dim"),
            f"{one.calls:,}",
            short_duration(one.self_cpu_ns),
            short_duration(one.cpu_ns),
            *device,
            _signed_size(one.self_device_memory_bytes if on_device else one.self_memory_bytes),
        )
    return table


def _signed_size(count: int) -> str:
    return "" if count == 0 else f"{'-' if count < 0 else ''}{short_size(abs(count))}"


def _print_traces(out: Console, found: ShownProfile) -> None:
    if not found.traces:
        out.print(Text("\nno traces of this process in that time", style="dim"))
        return
    out.print(Text(f"\n{found.traces:,} traces of this process in that time; longest in it:"))
    table = _table("trace", "request", "in the profile>")
    for each in found.longest[:_TRACES]:
        table.add_row(each.trace_id, Text(clipped(each.name or "?", _NAMES)), short_duration(each.within_ns))
    out.print(table)


def print_difference(found: ProfileDifference) -> None:
    """Print whose share of the profile changed, the largest changes first."""
    out = console()
    for title, profile in (("before", found.before), ("after", found.after)):
        measured = joined(profile.id, profile.service, amount(profile.total, profile))
        out.print(Text(f"{title:6}  {measured}"), soft_wrap=True)
    sampled = found.before.unit == "samples"
    table = _table("function", "before>", "after>", "own>", *(["95 % interval>", ""] if sampled else []), "with calls>")
    for change in found.functions[:_FUNCTIONS]:
        if abs(change.own_difference) < 0.0005 and abs(change.total_difference) < 0.0005:
            continue
        tested = []
        if change.own_low is not None and change.own_high is not None and change.q_value is not None:
            tested = [f"{change.own_low:+.1%} {change.own_high:+.1%}", "clear" if change.q_value <= CLEAR else ""]
        table.add_row(
            Text(_tail(change.function, _CHANGED)),
            f"{change.own_share_before:.1%}",
            f"{change.own_share_after:.1%}",
            f"{change.own_difference:+.1%}",
            *tested,
            f"{change.total_difference:+.1%}",
        )
    out.print(table)
    verb = command("profile diff", f"{found.before.id} {found.after.id} --output difference.html")
    out.print(Text("\n" + verb, style="dim"), soft_wrap=True)


def _table(*headings: str) -> Table:
    """A table whose headings with a `>` at the end are those of numbers."""
    table = plain_table()
    for heading in headings:
        table.add_column(heading.rstrip(">"), justify="right" if heading.endswith(">") else "left", no_wrap=True)
    return table


def _tail(name: str, width: int) -> str:
    """A function that fits, with the end of its path."""
    if len(name) <= width:
        return name
    function, _, place = name.rpartition(" (")
    keep = width - len(function) - 3
    return f"{function} (…{place[-keep:]}" if keep > 0 else clipped(name, width)
