"""Two requests side by side on the terminal."""

from typing import Final

from rich.table import Table
from rich.text import Text

from infersight_analysis.findings import ComparedRequest, PathDifference, TraceDifference
from infersight_analysis.report.output import clipped, console, joined, plain_table, print_next
from infersight_analysis.times import short_duration

_NAME_WIDTH: Final = 44
_LARGEST: Final = 3
_SHARE: Final = 0.05
"""Differences below this share of the whole are dimmed."""


def print_trace_difference(found: TraceDifference) -> None:
    """Print the answer in a sentence, then the calls of both with their differences."""
    out = console()
    out.print(Text(_summary(found), style="bold"))
    for label, request in (("A", found.a), ("B", found.b)):
        about = joined(request.service, request.name, request.start_time, f"trace {request.trace_id}")
        out.print(Text(f"{label}  {about}", style="dim"), soft_wrap=True)
    out.print()
    out.print(_table(found))
    for label, request in (("A", found.a), ("B", found.b)):
        for note in request.notes:
            out.print(Text(f"{label}: {note}", style="dim"))
    print_next(out, "investigate", _slower(found).trace_id)


def _slower(found: TraceDifference) -> ComparedRequest:
    return found.b if found.difference_ns >= 0 else found.a


def _summary(found: TraceDifference) -> str:
    if not found.difference_ns:
        return f"both took {short_duration(found.a.duration_ns)}"
    word = "longer" if found.difference_ns > 0 else "less"
    took = f"B took {short_duration(abs(found.difference_ns))} {word} than A ({_both(found)})"
    same_way = [path for path in found.paths if path.difference_ns * found.difference_ns > 0]
    largest = sorted(same_way, key=lambda path: -abs(path.difference_ns))[:_LARGEST]
    return f"{took}: " + ", ".join(f"{_signed(path.difference_ns)} in {_called(path)}" for path in largest)


def _both(found: TraceDifference) -> str:
    return f"{short_duration(found.b.duration_ns)} and {short_duration(found.a.duration_ns)}"


def _called(path: PathDifference) -> str:
    if path.count_a and path.count_b:
        return path.name if path.count_a == path.count_b else f"{path.name} ({path.count_b} calls, {path.count_a} in A)"
    return f"{path.name} (only in {'B' if path.count_b else 'A'})"


def _signed(duration_ns: int) -> str:
    return f"{'+' if duration_ns > 0 else '-'}{short_duration(abs(duration_ns))}"


def _table(found: TraceDifference) -> Table:
    table = plain_table()
    table.add_column("call", no_wrap=True)
    for heading in ("calls A", "B", "took A", "B", "responsible A", "B", "difference"):
        table.add_column(heading, justify="right", no_wrap=True)
    for path in found.paths:
        only = "red" if not path.count_a else "green" if not path.count_b else ""
        matters = abs(path.difference_ns) >= _SHARE * abs(found.difference_ns) and path.difference_ns
        table.add_row(
            Text(clipped("  " * path.depth + path.name, _NAME_WIDTH), style=only),
            _count(path.count_a),
            _count(path.count_b),
            _time(path.count_a, path.duration_a_ns),
            _time(path.count_b, path.duration_b_ns),
            _time(path.count_a, path.self_a_ns),
            _time(path.count_b, path.self_b_ns),
            Text(_signed(path.difference_ns) if path.difference_ns else "", style=_style(path) if matters else "dim"),
        )
    return table


def _count(count: int) -> str:
    return str(count) if count else "-"


def _time(count: int, time_ns: int) -> str:
    return short_duration(time_ns) if count else "-"


def _style(path: PathDifference) -> str:
    return "red" if path.difference_ns > 0 else "green"
