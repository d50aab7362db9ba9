"""Python's tracebacks: chained ones, exception groups, and those that another process sent along as text."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from infersight_analysis.failures.stacks.frames import Frame, Raised

_FRAME: Final = re.compile(r'^\s*File "(?P<file>[^"]+)", line \d+(?:, in (?P<function>.+))?$')
_STARTS: Final = re.compile(r"^\s*(?:\+ )?(?:Exception Group |Original )?Traceback \(most recent call last\):$")
_EXCEPTION: Final = re.compile(r"^(?P<type>[^\W\d][\w.]*)(?:: ?(?P<message>.*))?$")
_CHAINED: Final = (
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
)
_MARKS: Final = re.compile(r"^\s*[~^]+[~^\s]*$|^\s*\[Previous line repeated \d+ more times?\]$")
_FIRST_MEMBER: Final = re.compile(r"^(?P<margin> *)\+-\+-+ 1 -+$")
_MARGIN: Final = re.compile(r"^  [|+] ?")

_LIBRARIES: Final = re.compile(
    r"[/\\](?:site|dist)-packages[/\\]|[/\\][Ll]ib[/\\](?:python[\d.]+[/\\])|^<(?!stdin|string)|[/\\]opentelemetry[/\\]"
    r"|[/\\]Python\d+[/\\]Lib[/\\]|[/\\]infersight[/\\](?:_|integrations[/\\])"
)
_INLINED: Final = frozenset({"<listcomp>", "<dictcomp>", "<setcomp>"})
"""Frames of their own until Python 3.11, part of the function around them since."""


def is_python(text: str) -> bool:
    """Whether it is a traceback."""
    return any(_FRAME.match(line.lstrip("| +")) for line in text.splitlines())


def is_library(file: str) -> bool:
    """Whether a file is Python's, of an installed package, or of the instrumentation, rather than the application's."""
    return _LIBRARIES.search(file) is not None


def parse(text: str) -> Raised | None:
    """The exception that was raised last, with those that led to it as its causes.

    Args:
        text: as `traceback.format_exc` gives it; a text in front, as log records have it, is passed over.
    """
    raised: Raised | None = None
    for segment in _segments(text.splitlines()):
        found = _group(segment) or _single(segment)
        if found is not None:
            raised = found if raised is None else _caused(found, raised)
    return raised


def _caused(raised: Raised, cause: Raised) -> Raised:
    """An exception whose first cause, which its own text may say, was another one."""
    return replace(raised, cause=cause if raised.cause is None else _caused(raised.cause, cause))


def _segments(lines: Sequence[str]) -> Iterator[list[str]]:
    """The lines of each exception of a chain."""
    segment: list[str] = []
    for line in lines:
        if line in _CHAINED:
            yield segment
            segment = []
        else:
            segment.append(line)
    yield segment


def _group(lines: Sequence[str]) -> Raised | None:
    """An exception group; None where it is no group."""
    opened = ((at, match) for at, line in enumerate(lines) if (match := _FIRST_MEMBER.match(line)))
    at, match = next(opened, (0, None))
    if match is None:
        return None
    margin = len(match["margin"])
    own = _single([_MARGIN.sub("", line, count=1) for line in lines[:at]])
    members: list[list[str]] = [[]]
    inner = " " * (margin + 2)
    for line in lines[at + 1 :]:
        if line.startswith(f"{inner}+--"):
            members.append([])
        else:  # of a group among the members the margin stays, as the first one of these tells it
            members[-1].append(line[margin + (4 if line[margin + 2 : margin + 3] == "|" else 2) :])
    found = (parse("\n".join(member)) for member in members)
    group = own or Raised("ExceptionGroup", "", ())
    return replace(group, members=[member for member in found if member is not None])


def _single(lines: Sequence[str]) -> Raised | None:
    """An exception that is no group."""
    starts = [at for at, line in enumerate(lines) if _STARTS.match(line)]
    frames: list[Frame] = []
    for at in range(starts[0] + 1 if starts else 0, len(lines)):
        line = lines[at]
        if frame := _FRAME.match(line):
            frames.append(_frame(frame, lines[at + 1] if at + 1 < len(lines) else ""))
        elif line[:1].strip() and (said := _EXCEPTION.match(line)) and (frames or starts):
            return _with_message(said["type"], said["message"] or "", lines[at + 1 :], frames)
    if frames:
        return Raised("", "", _innermost_first(frames))
    last = next((said for line in reversed(lines) if (said := _EXCEPTION.match(line))), None)
    return Raised(last["type"], last["message"] or "", ()) if last else None


def _with_message(kind: str, message: str, rest: Sequence[str], frames: list[Frame]) -> Raised:
    """An exception whose message goes on in the next lines, where a worker's own traceback may stand."""
    starts = next((at for at, line in enumerate(rest) if _STARTS.match(line)), None)
    cause = None if starts is None else parse("\n".join(rest[starts:]))
    said = "\n".join([message, *rest[:starts]]).strip().removesuffix('"""').rstrip()
    return Raised(kind, said, _innermost_first(frames), cause)


def _frame(match: re.Match[str], following: str) -> Frame:
    is_statement = following[:2] == "  " and not _FRAME.match(following) and not _MARKS.match(following)
    statement = " ".join(following.split()) if is_statement else ""
    function, file = match["function"] or "<module>", match["file"]
    return Frame(function.strip(), file, not is_library(file), statement)


def _innermost_first(frames: Sequence[Frame]) -> list[Frame]:
    kept = [frame for frame in frames if frame.function not in _INLINED]
    return (kept or list(frames))[::-1]
