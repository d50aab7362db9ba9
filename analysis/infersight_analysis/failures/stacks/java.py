"""Stack traces of the JVM's languages: `Caused by`, suppressed exceptions, and what frameworks generate."""

import re
from collections.abc import Sequence
from typing import Final

from infersight_analysis.failures.stacks.frames import Frame, Raised

_FRAME: Final = re.compile(
    r"^(?P<indent>\s*)at (?:[\w.-]*(?:@[\w.-]+)?/)*(?P<function>[^\s()/]+(?:/0x[0-9a-f]+\.[\w$<>]+)?)"
    r"\((?P<file>[\w$-]+\.(?:java|kt|scala|groovy|clj)(?::\d+)?|Native Method|Unknown Source|<generated>"
    r"|<unknown>[:\d]*)\)"
)
_HEADER: Final = re.compile(
    r'^(?P<indent>\s*)(?P<how>Caused by: |Suppressed: |(?:.* )?Exception in thread "[^"]*" |Wrapped by: )?'
    r"(?:\[CIRCULAR REFERENCE: ?)?"
    r"(?P<type>(?:[\w$]+\.)+[\w$]+|[A-Z]\w*(?:Exception|Error))(?:: (?P<message>.*?))?\]?$"
)
_MORE: Final = re.compile(r"^\s*\.\.\. (?P<count>\d+) (?:more|common frames omitted)$")

_LIBRARIES: Final = re.compile(
    r"^(?:java|javax|jdk|sun|com\.sun|jakarta|kotlin|kotlinx|scala|groovy|clojure|android|androidx"
    r"|org\.(?:springframework|apache|hibernate|eclipse|jboss|wildfly|postgresql|mariadb|h2|slf4j|junit|aspectj|mockito"
    r"|reactivestreams|tensorflow|pytorch|mongodb|redisson|jooq|graalvm|codehaus|glassfish|jctools|quartz)"
    r"|com\.(?:fasterxml|google|mysql|zaxxer|netflix|amazonaws|azure|oracle|microsoft|mongodb|datastax|squareup"
    r"|github\.benmanes|alibaba\.(?:druid|dubbo|fastjson))"
    r"|io\.(?:netty|opentelemetry|grpc|micrometer|undertow|vertx|quarkus|micronaut|lettuce|reactivex|projectreactor"
    r"|prometheus|sentry|ktor|akka)"
    r"|reactor|rx|okhttp3|okio|retrofit2|feign|akka|play|ch\.qos|redis\.clients|net\.(?:bytebuddy|sf)|ai\.(?:djl|onnxruntime)"
    r"|software\.amazon)\."
)
_GENERATED: Final = (
    (re.compile(r"\$\$Lambda[$/\w]*(?:/0x[0-9a-f]+)?"), "$$Lambda"),
    (
        re.compile(r"\$\$(?:Enhancer|FastClass)\w*?By\w*\$\$[0-9a-f]+|\$\$SpringCGLIB\$\$\d+|\$HibernateProxy\$\w+"),
        "$$Proxy",
    ),
    (re.compile(r"\$Proxy\d+"), "$Proxy"),
    (re.compile(r"(Generated\w*Accessor)\d+"), r"\1"),
    (re.compile(r"(lambda\$\w+?)\$\d+"), r"\1"),
    (re.compile(r"(access\$)\d+"), r"\1"),
    (re.compile(r"\$\d+(?=[.$]|$)"), "$*"),  # anonymous classes
)


def is_java(text: str) -> bool:
    """Whether it has a frame of the JVM."""
    return any(_FRAME.match(line) for line in text.splitlines())


def parse(text: str) -> Raised | None:
    """The exception that was printed first, with its causes; suppressed ones are passed over.

    Args:
        text: as `Throwable.printStackTrace` gives it; a text in front, as log records have it, is passed over.
    """
    parts: list[_Part] = []
    skipped: str | None = None
    for line in text.splitlines():
        header = _HEADER.match(line)
        if header and (parts or header["how"] or not _FRAME.match(line)):
            indent = header["indent"]
            is_inside = skipped is not None and len(indent) > len(skipped)
            if header["how"] == "Suppressed: " and not is_inside:
                skipped = indent
            elif skipped is None or (header["how"] == "Caused by: " and len(indent) < len(skipped)):
                skipped = None
                _begin(parts, header)
        elif skipped is None and parts:
            parts[-1].take(line)
        elif not parts and _FRAME.match(line):
            parts.append(_Part("", ""))
            parts[-1].take(line)
    return _chain([part for part in parts if part.frames or part is parts[0]])


class _Part:
    """An exception as it is read."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind: Final = kind
        self.message = message
        self.frames: Final[list[Frame]] = []
        self.more = 0

    def take(self, line: str) -> None:
        if frame := _FRAME.match(line):
            self.frames.append(_frame(frame))
        elif more := _MORE.match(line):
            self.more = int(more["count"])
        elif not self.frames:
            self.message += f"\n{line}"


def _begin(parts: list[_Part], header: re.Match[str]) -> None:
    if parts and not parts[-1].frames and header["how"] is None:
        if parts[-1].message or len(parts) > 1:
            parts[-1].message += f"\n{header[0]}"  # a line of the message that looks like a class
            return
        parts.pop()
    elif parts and header["how"] is None:
        return
    parts.append(_Part(header["type"], header["message"] or ""))


def _chain(parts: Sequence[_Part]) -> Raised | None:
    """The exceptions as causes of each other; frames that were left out because they are those of the one before."""
    if not parts:
        return None
    frames: list[list[Frame]] = []
    for part in parts:
        before = frames[-1] if frames else []
        frames.append([*part.frames, *before[len(before) - min(part.more, len(before)) :]])
    cause: Raised | None = None
    for part, found in zip(reversed(parts), reversed(frames), strict=True):
        cause = Raised(part.kind, part.message.strip(), found, cause)
    return cause


def _frame(match: re.Match[str]) -> Frame:
    function = match["function"]
    for pattern, instead in _GENERATED:
        function = pattern.sub(instead, function)
    file = match["file"].partition(":")[0]
    is_generated = "$$Proxy" in function or "$Proxy" in function or "Accessor." in function
    return Frame(function, file, not (_LIBRARIES.match(function) or is_generated))
