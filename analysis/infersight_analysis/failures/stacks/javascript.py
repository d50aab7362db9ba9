"""Stack traces of JavaScript: V8 (Node, Chrome), and SpiderMonkey and JavaScriptCore (Firefox, Safari)."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from infersight_analysis.failures.stacks.frames import Frame, Raised

_V8: Final = re.compile(
    r"^\s*at (?:async )?"
    r"(?:(?P<function>(?!\S*://|/|[A-Z]:\\|node:|file:|index \d).*?) \((?P<file>.*)\)|(?P<bare>\S+))(?:,| \{)?$"
)
_GECKO: Final = re.compile(
    r"^\s*(?:async\*|promise callback\*)?(?P<function>[^@\s(]*(?: code)?)@(?P<file>\S+?:\d+(?::\d+)?|\[native code\])$"
)
_HEADER: Final = re.compile(
    r"^\s*\[?(?P<how>\[cause\]: |\[errors\]: |Caused by: |caused by: )?(?:Uncaught )?(?:\(in promise\) )?"
    r"(?P<type>[A-Z_$][\w$]*(?:\.[\w$]+)*)(?: \[[\w]+\])?(?:: (?P<message>.*?))?(?:\] \{)?$"
)
_PLACE: Final = re.compile(r"(?::\d+){1,2}$")
_HASH: Final = re.compile(r"(?<=[.-])(?=[0-9a-zA-Z_-]*\d)[0-9a-zA-Z_-]{8,}(?=\.(?:chunk\.)?m?js$)")
_NOT_OWN: Final = re.compile(
    r"node_modules/|^node:|^internal/|^<anonymous>$|^native$|\[native code\]|^index \d"
    r"|^(?:chrome|moz|safari-web)-extension:|webpack/(?:bootstrap|runtime)|^(?:async|events|net|fs|http|timers|_http_client|stream|zlib)\.js$"
)
_ERRORS: Final = re.compile(r"^\s*\[errors\]: \[$")


def is_javascript(text: str) -> bool:
    """Whether it has a frame of JavaScript."""
    return any(_frame(line) for line in text.splitlines())


def parse(text: str) -> Raised | None:
    """The error that was printed first, with its causes (`[cause]`) and members (`[errors]`).

    Args:
        text: as `error.stack` or Node's `util.inspect` gives it.
    """
    lines = text.splitlines()
    members_from = next((at for at, line in enumerate(lines) if _ERRORS.match(line)), len(lines))
    chain = list(_errors(lines[:members_from]))
    members = list(_errors(lines[members_from + 1 :]))
    raised: Raised | None = None
    if not chain and members and (said := _HEADER.match(lines[0])):
        return Raised(said["type"], said["message"] or "", (), None, [Raised(*member) for member in members])
    for kind, message, frames in reversed(chain):
        is_first = (kind, message, frames) == chain[0]
        raised = Raised(kind, message, frames, raised, [Raised(*member) for member in members] if is_first else ())
    return raised


def _errors(lines: Sequence[str]) -> Iterator[tuple[str, str, list[Frame]]]:
    """Type, message and frames of each error that has frames."""
    kind, message, frames = "", "", list[Frame]()
    for line in lines:
        if (frame := _frame(line)) is not None:
            frames.append(frame)
        elif (header := _HEADER.match(line)) and (frames or not kind or header["how"]):
            if frames:
                yield kind, message.strip(), frames
            kind, message, frames = header["type"], header["message"] or "", []
        elif kind and not frames:
            message += f"\n{line}"
    if frames:
        yield kind, message.strip(), frames


def _frame(line: str) -> Frame | None:
    if match := _V8.match(line):
        function, file = match["function"] or "<anonymous>", match["file"] or match["bare"] or ""
        if "(" in file:  # eval at load (file), <anonymous>:1:1
            file = file.rpartition(", ")[2]
        function = re.sub(r" \[as [^]]+\]", "", function)
        if not (match["function"] or _PLACE.search(file) or file == "<anonymous>"):
            return None  # a sentence that begins with `at`
    elif match := _GECKO.match(line):
        function, file = match["function"] or "<anonymous>", match["file"]
    else:
        return None
    path = _HASH.sub("*", _PLACE.sub("", file).partition("?")[0])
    is_own = bool(path) and not _NOT_OWN.search(path)
    return Frame(function, re.sub(r"^\w[\w+.-]*://+(?:[^/]+(?=/))?", "", path) if is_own else path, is_own)
