"""Where the code of a request was in each part of its time, by the looks that the SDK took at its stacks."""

import json
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import duckdb

from infersight_analysis.breakdown import Operation, operation_of
from infersight_analysis.critical_path import Segment, critical_path
from infersight_analysis.failures.stacks.frames import short_path
from infersight_analysis.failures.stacks.python import is_library
from infersight_analysis.findings import CodePlace, LogLine
from infersight_analysis.investigation.surroundings import around
from infersight_analysis.reading import query
from infersight_analysis.trace import Node

PROFILE: Final = "infersight.profile"
_FRAME: Final = re.compile(r"^(?P<function>.*) \((?P<file>.*):(?P<line>\d+)\)$")


@dataclass(frozen=True)
class _Look:
    """One look at the stacks of a request: nanoseconds since the epoch, the folded stack, and whether it waited."""

    time_ns: int
    stack: str
    awaiting: bool


def code_of(
    connection: duckdb.DuckDBPyConnection, trace_id: str, request: Node, logs: Sequence[LogLine]
) -> list[CodePlace]:
    """Where the code was, the parts with most time first; empty where nobody looked.

    A look counts for the part of the critical path that it falls into, where that is of the same process.

    Args:
        connection: from `connect`.
        trace_id: of the request.
        request: with what is below it.
        logs: those of the trace, which say whether there is a profile.
    """
    if all(line.event_name != PROFILE for line in logs):
        return []
    nodes = {node.span.span_id: node for node in request.below()}
    path = critical_path(request)
    found: list[CodePlace] = []
    for span_id, *columns in connection.execute(
        query("profiles_of_trace"), {"trace_id": trace_id, **around(request)}
    ).fetchall():
        if (node := nodes.get(span_id)) is not None:
            own = [segment for segment in path if segment.node.span.instance == node.span.instance]
            found += _places(own, list(_looks(node, columns)), request)
    return sorted(found, key=lambda place: (-place.about_ns, place.function))


def _looks(node: Node, columns: Sequence[Any]) -> Iterator[_Look]:
    """The looks of a record; none where it is not as the SDK writes it."""
    try:
        stacks, times, samples, awaiting = (cast("list[Any]", json.loads(column)) for column in columns)
        for time_us, sample, waited in zip(times, samples, awaiting, strict=True):
            yield _Look(node.start_ns + int(time_us) * 1_000, str(stacks[sample]), bool(waited))
    except (TypeError, ValueError, IndexError):  # anybody can send a record of this name
        return


def _places(path: Sequence[Segment], looks: Sequence[_Look], request: Node) -> list[CodePlace]:
    ordered = sorted(path, key=lambda segment: segment.start_ns)
    starts = [segment.start_ns for segment in ordered]
    spent: Counter[Operation] = Counter()
    for segment in ordered:
        spent[operation_of(segment.node, request)] += segment.duration_ns
    counted: Counter[tuple[Operation, str, bool]] = Counter()
    for look in looks:
        at = bisect_right(starts, look.time_ns) - 1
        if at >= 0 and look.time_ns < ordered[at].end_ns:
            counted[operation_of(ordered[at].node, request), look.stack, look.awaiting] += 1
    return _merged(counted, spent)


def _merged(counted: Counter[tuple[Operation, str, bool]], spent: Counter[Operation]) -> list[CodePlace]:
    """Stacks with the same place in the application are one."""
    looks: Counter[Operation] = Counter()
    places: Counter[tuple[Operation, str, str, str | None, bool]] = Counter()
    for (operation, stack, awaiting), count in counted.items():
        looks[operation] += count
        places[operation, *_place(stack), awaiting] += count
    return [
        CodePlace(
            part=operation.name,
            function=function,
            place=place,
            inside=inside,
            awaiting=awaiting,
            samples=count,
            samples_of_part=looks[operation],
            about_ns=round(spent[operation] * count / looks[operation]),
        )
        for (operation, function, place, inside, awaiting), count in places.items()
    ]


def _place(stack: str) -> tuple[str, str, str | None]:
    """Function and place of the innermost frame of the application, and the function that it was in, where another."""
    frames = [match for frame in stack.split(";") if (match := _FRAME.match(frame))]
    if not frames:
        return stack, "", None
    innermost = frames[-1]
    own = next((frame for frame in reversed(frames) if not is_library(frame["file"])), innermost)
    place = f"{short_path(own['file'])}:{own['line']}"
    return own["function"], place, None if own is innermost else innermost["function"]
