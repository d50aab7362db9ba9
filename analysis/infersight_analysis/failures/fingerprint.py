"""Which failures are the same fault: where the exception was raised, and what the message says without its values."""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

_PYTHON_FRAME: Final = re.compile(r'^[\s|+-]*File "(?P<file>[^"]+)", line \d+, in (?P<function>.+)$', re.MULTILINE)
_PYTHON_START: Final = "Traceback (most recent call last):"
_OTHER_FRAME: Final = re.compile(
    r"^\s*at (?P<function>[\w$.<>\[\] /]+?)\s*\((?P<file>[^():]+)[:)]"  # Java, JavaScript
    r"|^(?P<go>[\w./*()]+)\([^)]*\)\n\t",  # Go, whose file follows on a line of its own
    re.MULTILINE,
)

_LIBRARIES: Final = ("/site-packages/", "/dist-packages/", "/lib/python", "<frozen ", "node_modules/", "node:internal")
_INSTRUMENTATION: Final = ("/infersight/", "/opentelemetry/")

_VALUES: Final = re.compile(
    r"0x[0-9a-fA-F]+"
    r"|\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b"
    r"|\b(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{12,}\b"
    r"|(?<![\w.])[-+]?\d[\d.,:_]*(?:e[-+]?\d+)?\d*"
    r"|'[^'\n]*'|\"[^\"\n]*\""
)


@dataclass(frozen=True)
class Frame:
    """A frame of a stack trace, without its line, which moves between releases."""

    function: str
    file: str

    @property
    def is_own(self) -> bool:
        """Whether it is the application's code rather than a library's or the instrumentation's."""
        return not any(part in self.file for part in (*_LIBRARIES, *_INSTRUMENTATION))

    def __str__(self) -> str:
        """The function and the last two parts of its file's path."""
        file = "/".join(self.file.replace("\\", "/").split("/")[-2:])
        return f"{self.function} ({file})" if file else self.function


def frames_of(stacktrace: str | None) -> list[Frame]:
    """The frames of an exception, innermost first; of a chain those of the one that was raised last.

    Python's traces say the innermost frame last, Java's, JavaScript's and Go's say it first.
    """
    if not stacktrace:
        return []
    if _PYTHON_START in stacktrace:
        last = stacktrace.rpartition(_PYTHON_START)[2]
        return [Frame(match["function"].strip(), match["file"]) for match in _PYTHON_FRAME.finditer(last)][::-1]
    first = stacktrace.partition("\nCaused by:")[0]
    return [
        Frame((match["function"] or match["go"]).strip(), match["file"] or "") for match in _OTHER_FRAME.finditer(first)
    ]


def template_of(message: str) -> str:
    """A message without its values: its first line with numbers, ids, addresses and quoted texts as `*`."""
    return _VALUES.sub("*", message.strip().partition("\n")[0])


def location_of(frames: list[Frame]) -> Frame | None:
    """The innermost frame of the application, of anything where there is none."""
    return next((frame for frame in frames if frame.is_own), frames[0] if frames else None)


def fingerprint(kind: str, message: str, frames: list[Frame]) -> str:
    """16 hex digits that failures of one fault share.

    With a stack it is the exception's type, the innermost frame of the application and the frame that raised: those
    are the same however far out the exception was caught. Without one it is the type and the message's template.
    """
    location = location_of(frames)
    place = (str(location), str(frames[0])) if location else (template_of(message),)
    return hashlib.sha256("\0".join((kind, *place)).encode()).hexdigest()[:16]
