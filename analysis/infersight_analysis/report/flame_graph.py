"""Flame graphs: frames below each other, as wide as their time; as SVG by itself or in a page, and as folded stacks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from infersight_analysis.findings import CriticalPaths, PathTime
from infersight_analysis.report.html.environment import asset, environment, printable
from infersight_analysis.times import short_duration

_LEAST_WIDTH: Final = 0.0005
_ROW: Final = 19
_COLOURS: Final = 8


@dataclass(frozen=True)
class Frame:
    """A call path.

    Args:
        depth: how many frames are above; the first frame has 0, and none beside it.
        label: what it is called.
        detail: what is said of it when one points at it.
        time_ns: its time with that of the frames below it, which lie in it from the left.
        colour: class of its colour, see `colours`.
    """

    depth: int
    label: str
    detail: str
    time_ns: float
    colour: str


@dataclass(frozen=True)
class _Box:
    """A frame at its place: left edge and width in percent of the graph, top in pixels."""

    frame: Frame
    x: float
    width: float
    y: int


def flame_graph(frames: Sequence[Frame], title: str, *, alone: bool) -> str:
    """The graph as SVG, callers above what they call; a click, or Enter, makes a frame as wide as the graph.

    Args:
        frames: callers before what they call.
        title: what it shows, its text alternative.
        alone: as a file by itself, with style and script; else those of the page are used.
    """
    boxes = list(_boxes(frames))
    height = _ROW * (1 + max((box.frame.depth for box in boxes), default=0)) + 2
    return (
        environment()
        .get_template("flame_graph.svg.j2")
        .render(
            boxes=boxes,
            height=height,
            row=_ROW,
            title=printable(title),
            alone=alone,
            style=asset("flame_graph.css"),
            script=asset("flame_graph.js"),
        )
    )


def _boxes(frames: Sequence[Frame]) -> Iterator[_Box]:
    """The frames that are wide enough to be seen, each in the one above it, beside those before."""
    if not frames:
        return
    whole = frames[0].time_ns or 1.0
    left = [0.0]  # where the next frame of each depth begins
    for frame in frames:
        del left[frame.depth + 1 :]
        start = left[frame.depth]
        left[frame.depth] += frame.time_ns / whole
        left.append(start)
        if frame.time_ns / whole >= _LEAST_WIDTH:
            yield _Box(frame, round(100 * start, 4), round(100 * frame.time_ns / whole, 4), frame.depth * _ROW + 1)


def colours(operations: Sequence[tuple[str | None, str]]) -> dict[tuple[str | None, str], str]:
    """A colour for each service and name: one a service, or, where there is only one service, one a name."""
    of_services = len({service for service, _ in operations}) > 1
    kinds = {operation: operation[0] if of_services else operation[1] for operation in operations}
    numbers = {kind: number for number, kind in enumerate(dict.fromkeys(kinds.values()))}
    return {operation: f"c{numbers[kind] % _COLOURS}" for operation, kind in kinds.items()}


Part = TypeVar("Part")


def stacked(own_ns: Mapping[tuple[Part, ...], float]) -> list[tuple[tuple[Part, ...], float]]:
    """The stacks with the time of what is below them, callers before what they call; callers that are missing too.

    Args:
        own_ns: the time of each stack by itself; a stack is its calls, callers first.
    """
    below: dict[tuple[Part, ...], float] = {}
    called: dict[tuple[Part, ...], list[tuple[Part, ...]]] = {}
    for stack, time_ns in own_ns.items():
        for depth in range(1, len(stack) + 1):
            part = stack[:depth]
            if part not in below:
                below[part] = 0.0
                called.setdefault(part[:-1], []).append(part)
            below[part] += time_ns
    found: list[tuple[tuple[Part, ...], float]] = []
    waiting = called.get((), [])[::-1]
    while waiting:
        stack = waiting.pop()
        found.append((stack, below[stack]))
        waiting += called.get(stack, [])[::-1]
    return found


def frames_of(found: CriticalPaths) -> list[Frame]:
    """The frames of critical paths, below one for all requests."""
    colour = colours([(path.service, path.name) for path in found.paths])
    title = f"{found.requests:,} requests, {short_duration(found.mean_ns)} on average"
    return [
        Frame(0, "all requests", title, float(found.total_ns), "all"),
        *(
            Frame(
                path.depth + 1,
                printable(path.name),
                printable(_detail(path, found)),
                path.total_ns,
                colour[path.service, path.name],
            )
            for path in found.paths
        ),
    ]


def _detail(path: PathTime, found: CriticalPaths) -> str:
    mean = short_duration(path.total_ns / found.requests)
    share = path.total_ns / (found.total_ns or 1)
    return (
        f"{path.name} ({path.service or 'no service'}): {mean} of a request ({share:.1%}), "
        f"itself {short_duration(path.mean_ns)}; {path.calls:,} calls in {path.requests:,} requests"
    )


def folded_stacks(found: CriticalPaths) -> str:
    """The paths as folded stacks (Brendan Gregg's format): a line a path, its names, `;` between, and microseconds.

    A `;` in a name becomes `:`, a line's end a space; paths of less than a microsecond of their own are left out.
    """
    lines = (f"{';'.join(_folded(name) for name in path.path)} {round(path.self_ns / 1000)}" for path in found.paths)
    return "\n".join(line for line in lines if not line.endswith(" 0"))


def _folded(name: str) -> str:
    return " ".join(printable(name).replace(";", ":").split()) or "?"
