"""Which failures are the same fault: where the exception was raised, for what, and what it says without its values."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from infersight_analysis.failures.stacks.frames import Frame, Raised
from infersight_analysis.failures.stacks.parsing import parse

_VALUES: Final = re.compile(
    r"0x[0-9a-fA-F]+"
    r"|\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b"
    r"|\b(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{12,}\b"
    r"|(?<![\w.])[-+]?\d[\d.,:_]*(?:e[-+]?\d+)?\d*"
    r"|'[^'\n]*'|\"[^\"\n]*\""
)
_NAMED_VALUES: Final = re.compile(
    r"\b[\w.+-]+@[\w-]+\.[\w.-]+"  # addresses of people
    r"|\b[a-z][a-z0-9+.-]*://[^\s,;)\]}]+"
    r"|(?<![\w*/.])(?:[A-Za-z]:)?(?:[\\/][\w.@*$-]+){2,}[\\/]?"  # paths
    r"|\b(?:[a-z0-9-]+\.)+(?:com|net|org|io|dev|internal|local|svc|cluster|example)\b[\w.-]*"  # hosts
    r"|[\w.*-]*\d[\w.*-]*|\w+-\*"  # words with a digit
)
_UNITS: Final = re.compile(r"\* (?:[kKMGT]i?B|bytes?|[mun]?s|sec(?:ond)?s?|minutes?|hours?)\b")
_REPEATED: Final = re.compile(r"\*(?:[,x\s]+\*)+")
_STATEMENT: Final = re.compile(r"^(?:raise\b.*[\"']|raise\s+[\w.]+\(\)|raise\s+[A-Z][\w.]*$|assert\b)")
_CARRIERS: Final = frozenset(
    {"CompletionException", "ExecutionException", "InvocationTargetException", "UndeclaredThrowableException"}
)
"""Java's exceptions that only bring another one out of a thread, or out of a call by reflection."""

_LEAST_WORDS: Final = 3
"""How many different words must stand at one place of a message for them to be values of it."""

_LONGEST: Final = 400


@dataclass(frozen=True)
class Fault:
    """What failures of one fault have in common.

    Args:
        structure: types and places of an exception and of its causes, or the type alone without a stack.
        message: the template of the message; empty where the statement that raised the exception is known.
    """

    structure: str
    message: str

    @property
    def fingerprint(self) -> str:
        """16 hex digits."""
        return hashlib.sha256(f"{self.structure}\0{self.message}".encode()).hexdigest()[:16]


def frames_of(stacktrace: str | None) -> list[Frame]:
    """The frames of an exception, innermost first; of a chain those of the one that was raised last."""
    raised = parse(stacktrace)
    return list(raised.frames) if raised else []


def template_of(message: str) -> str:
    """A message without its values: its first line with numbers, ids, addresses and quoted texts as `*`."""
    return _VALUES.sub("*", message.strip().partition("\n")[0])


def skeleton_of(message: str) -> str:
    """A template without paths, hosts, units and words with a digit either; several values in a row are one."""
    template = template_of(message)[:_LONGEST]
    return _REPEATED.sub("*", _UNITS.sub("*", _NAMED_VALUES.sub("*", template)))


def fault_of(kind: str | None, message: str, raised: Raised | None) -> Fault:
    """The fault of one failure.

    Each exception of a chain counts by its class and by the innermost frame of the application with its line of
    source, which are the same however far out it was caught and whatever moved the line. Where that line raises it
    with a text of its own, the text needs no look; else the message of the first cause tells apart what code beyond
    the application raised at the same place.

    Args:
        kind: the exception's type, as it was recorded.
        message: what was recorded of its message.
        raised: its stack trace, read.
    """
    links = _links(raised) if raised else []
    if not any(link.location or link.members for link in links):
        return Fault(short_type(kind) or "error", skeleton_of(message))
    parts: list[str] = []
    for link in links:
        part = _identity(replace(link, type=kind) if link is raised and kind else link)
        if not parts or parts[-1] != part:  # a retry that fails as the try before it
            parts.append(part)
    first = links[-1]
    is_told = bool(first.members) or _raises_by_itself(first)
    return Fault("\n".join(parts), "" if is_told else skeleton_of(message if first is raised else first.message))


def _links(raised: Raised) -> list[Raised]:
    """An exception and its causes, without those that only carry the next one from another thread or process."""
    chain = [link for link in raised.chain if link.frames or link.members or link is raised]
    kept: list[Raised] = []
    for link, cause in zip(chain, [*chain[1:], None], strict=True):
        is_copy = cause is not None and (link.type, link.message) == (cause.type, cause.message)
        if cause is None or not (is_copy or short_type(link.type) in _CARRIERS):
            kept.append(link)
    return kept


@lru_cache(maxsize=4096)
def short_type(kind: str | None) -> str:
    """The class without its module: senders write `ValueError` and `builtins.ValueError`."""
    return re.split(r"[.$]", kind.rstrip("$").lstrip("*"))[-1] if kind else ""


def _identity(raised: Raised) -> str:
    members = sorted({_identity(member) for member in raised.members})
    return "\0".join((short_type(raised.type), *_place(raised), *members))


def _place(raised: Raised) -> Iterator[str]:
    """Where an exception was raised; of an endless recursion the functions that call each other."""
    if short_type(raised.type) in {"RecursionError", "StackOverflowError"} or _is_recursion(raised):
        own = [str(frame) for frame in raised.frames if frame.is_own]
        yield from sorted({frame for frame in own if own.count(frame) > 1})
    elif (location := raised.location) is not None:
        yield str(location)
        yield location.statement


def _is_recursion(raised: Raised) -> bool:
    return raised.message.startswith(("Maximum call stack", "stack overflow", "too much recursion"))


def _raises_by_itself(raised: Raised) -> bool:
    """Whether the line that raised it is the application's own, with a text that no other line has."""
    innermost = raised.frames[0] if raised.frames else None
    return innermost is not None and innermost.is_own and _STATEMENT.match(innermost.statement) is not None


def without_values(faults: Iterable[Fault]) -> dict[Fault, Fault]:
    """Each fault as it is once words that vary are known for values: `user alice is unknown` is `user * is unknown`.

    Words are values where faults of one structure differ in nothing but the word at one place, and have three or more
    there; two words may well be two messages.

    Args:
        faults: all that are to be told apart.
    """
    found = {fault: fault for fault in faults}
    for _ in range(2):  # of messages with two such words the second shows when the first is known
        for learned, members in _varying(set(found.values())).items():
            found |= {fault: learned for fault, known in found.items() if known in members}
    return found


def _varying(faults: Iterable[Fault]) -> dict[Fault, set[Fault]]:
    alike: defaultdict[Fault, set[Fault]] = defaultdict(set)
    for fault in faults:
        words = fault.message.split()
        for place in range(len(words) if len(words) > 1 else 0):
            message = " ".join((*words[:place], "*", *words[place + 1 :]))
            alike[replace(fault, message=message)].add(fault)
    return {learned: members for learned, members in alike.items() if len(members) >= _LEAST_WORDS}
