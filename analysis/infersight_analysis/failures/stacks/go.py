"""Stack traces of Go: panics, `debug.Stack`, and the traces that errors carry along."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from infersight_analysis.failures.stacks.frames import Frame, Raised

_GOROUTINE: Final = re.compile(r"^goroutine \d+ (?:gp=\S+ m=\S+ (?:mp=\S+ )?)?\[[^]]*\]:$")
_FUNCTION: Final = re.compile(
    r"^(?P<function>panic(?=\()|(?=[^\s()]*\.)[^\s()]+(?:\(\*?\w[^\s()]*\)(?=\.)[^\s()]+)?)(?:\(.*\))?$"
)
_FILE: Final = re.compile(r"^\t(?P<file>.+\.(?:go|s)):\d+(?: \+0x[0-9a-f]+)?(?: fp=.*)?$")
_PANIC: Final = re.compile(
    r"^\t?(?:.*http: (?=panic serving))?(?P<kind>panic|fatal error)(?: serving \S+)?: (?P<message>.*?)"
    r"(?: \[recovered(?:, repanicked)?\])?$"
)

_STANDARD: Final = re.compile(
    r"/usr/(?:local|lib)/go|/go/src/(?!.*\.)|/go1?[\d.]*/src/|/libexec/src/|golang\.org/toolchain@"
)
_LIBRARIES: Final = re.compile(r"/pkg/mod/|/vendor/|\bgo\.opentelemetry\.io/|\bgoogle\.golang\.org/")
_MACHINERY: Final = re.compile(r"^(?:runtime(?:/debug)?\.|panic$)")
_CLOSURE: Final = re.compile(r"(?:\.func\d+(?:\.\d+)*|\.gowrap\d+|-fm|-range\d+)+")
_TYPE_PARAMETERS: Final = re.compile(r"\[[^]]*\]")


def is_go(text: str) -> bool:
    """Whether it has a frame of Go: a function, and its file on the next line behind a tab."""
    lines = text.splitlines()
    return any(_FILE.match(after) and _FUNCTION.match(line) for line, after in pairwise(lines))


def parse(text: str) -> Raised | None:
    """The last panic of a trace with the frames of the goroutine that is printed first; Go knows no type of it.

    Args:
        text: as the runtime prints it, or `debug.Stack`, or an error of `pkg/errors` as `%+v`.
    """
    lines = text.splitlines()
    frames = list(_frames(lines))
    if not frames:
        return None
    panics = [panic for line in lines if (panic := _PANIC.match(line))]
    if not panics:
        says = not (_GOROUTINE.match(lines[0]) or _FUNCTION.match(lines[0]))
        return Raised("", lines[0].strip() if says else "", frames)
    raised: Raised | None = None
    for panic in panics:  # one that was recovered, and told on in another one, comes first
        raised = Raised(panic["kind"], panic["message"], frames, raised)
    return raised


def _frames(lines: list[str]) -> Iterator[Frame]:
    """The frames below the innermost `panic`, or below what made the trace; of the first goroutine only."""
    found: list[Frame] = []
    goroutines = 0
    for line, after in pairwise(lines):
        goroutines += bool(_GOROUTINE.match(line))
        if goroutines > 1:
            break
        match = _FUNCTION.match(line)
        place = _FILE.match(after)
        if match is None or place is None:
            continue
        if match["function"] == "panic":  # above it is what recovered, and printed this
            found.clear()
            continue
        found.append(_frame(match["function"], place["file"]))
    first = next((at for at, frame in enumerate(found) if not _MACHINERY.match(frame.function)), 0)
    yield from found[first:]


def _frame(function: str, file: str) -> Frame:
    plain = _CLOSURE.sub(".func", _TYPE_PARAMETERS.sub("", function))
    is_library = _STANDARD.search(file) or _LIBRARIES.search(file) or _LIBRARIES.search(function)
    is_own = not (is_library or _MACHINERY.match(plain))
    return Frame(plain, file, is_own)
