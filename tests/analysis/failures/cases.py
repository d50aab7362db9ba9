"""Stack traces of real programs in two releases, and which of them are the same fault.

`stacks/LANGUAGE.txt` has them one after the other, each under `######## NAME RELEASE`. The second release has its lines
elsewhere, one more lambda or closure in front, and was asked with other values. They were printed by CPython 3.11,
OpenJDK 17, Node 20 and Go 1.19; what needs a library, a browser or a second machine is written after their form.
"""

import re
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from infersight_analysis.failures.fingerprint import Fault, fault_of
from infersight_analysis.failures.stacks.parsing import parse

STACKS: Final = Path(__file__).parent / "stacks"
LANGUAGES: Final = ("python", "java", "javascript", "go")


class Pair(NamedTuple):
    """Two traces of one language, and whether a reader would call them one fault."""

    language: str
    one: str
    other: str
    same: bool
    why: str


@cache
def stacks(language: str) -> dict[tuple[str, str], str]:
    """The traces of a language by name and release."""
    parts = re.split(r"^######## (\w+) (r\d)\n", (STACKS / f"{language}.txt").read_text(), flags=re.MULTILINE)[1:]
    return {(parts[at], parts[at + 1]): parts[at + 2] for at in range(0, len(parts), 3)}


def fault(language: str, name: str, release: str) -> Fault:
    """The fault of a trace, as if it were all that was recorded."""
    raised = parse(stacks(language)[name, release])
    return fault_of(raised.type if raised else None, raised.message if raised else "", raised)


def releases() -> list[tuple[str, str]]:
    """Language and name of the traces that are there from both releases."""
    return [
        (language, name)
        for language in LANGUAGES
        for name, release in stacks(language)
        if release == "r1" and (name, "r2") in stacks(language)
    ]


PAIRS: Final = (
    Pair("python", "values", "no_user", False, "two raise statements of one function"),
    Pair("python", "helper_many", "helper_locked", False, "a helper that raises for whoever calls it, with two texts"),
    Pair("python", "wrapped_timeout", "wrapped_missing", False, "one wrapper, two causes"),
    Pair("python", "wrapped_missing", "missing", False, "a cause that was wrapped, and the same one that was not"),
    Pair("python", "wrapped_missing", "context", False, "the same cause in two wrappers"),
    Pair("python", "parse", "parse_empty", False, "one call of a library that fails in two ways"),
    Pair("python", "values", "decorated", True, "raised at the same place, through a decorator"),
    Pair("python", "values", "gathered", True, "raised at the same place, awaited with others"),
    Pair("python", "values", "thread", True, "raised at the same place, in a thread"),
    Pair("python", "values", "process", True, "raised at the same place, in another process"),
    Pair("python", "values", "asgi_log", True, "the text of a logger around it, and frames of a server outside of it"),
    Pair("python", "retry_2", "retry_3", True, "a retry that fails for the second or for the third time"),
    Pair("python", "recursion", "recursion_deeper", True, "an endless recursion that ends in another of its functions"),
    Pair("python", "group_2", "group_3", True, "a group with two or three of the same exception"),
    Pair("python", "group_2", "group_mixed", False, "a group with another exception in it"),
    Pair("python", "torch_shapes", "torch_memory", False, "one call of a model that fails in two ways, by one type"),
    Pair("python", "torch_index", "torch_shapes", False, "two layers of a model"),
    Pair("python", "requests_refused", "requests_unknown_host", False, "one request, two causes far below"),
    Pair("java", "values", "no_user", False, "two raise statements of one method, told by their texts"),
    Pair("java", "wrapped_timeout", "wrapped_missing", False, "one wrapper, two causes"),
    Pair("java", "values", "suppressed", True, "another exception while closing is no part of it"),
    Pair("java", "values", "lambda", True, "raised at the same place, in a lambda of a stream"),
    Pair("java", "values", "async", True, "raised at the same place, brought by a CompletionException"),
    Pair("java", "values", "executor", True, "raised at the same place, brought by an ExecutionException"),
    Pair("java", "values", "reflected", True, "raised at the same place, brought by reflection"),
    Pair("java", "index", "values", False, "two methods"),
    Pair("javascript", "values", "no_user", False, "two throw statements of one function, told by their texts"),
    Pair("javascript", "wrapped_timeout_inspected", "wrapped_undefined_inspected", False, "one wrapper, two causes"),
    Pair("javascript", "values", "getter", True, "raised at the same place, from a getter"),
    Pair("javascript", "values", "all", True, "raised at the same place, in one of several promises"),
    Pair("javascript", "values", "callback", True, "raised at the same place, in a timer"),
    Pair("javascript", "values", "array_map", True, "raised at the same place, in a function of `map`"),
    Pair("javascript", "values", "any_inspected", False, "an AggregateError of the same error"),
    Pair("javascript", "firefox", "safari", True, "one error in two browsers"),
    Pair("javascript", "undefined_property", "wrapped_undefined_inspected", False, "a cause alone, and wrapped"),
    Pair("go", "values", "no_user", False, "two panics of one function, told by their texts"),
    Pair("go", "values", "closure", True, "raised at the same place, in a closure"),
    Pair("go", "values", "goroutine", True, "raised at the same place, in another goroutine"),
    Pair("go", "values", "repanic", True, "recovered, and told on in another panic"),
    Pair("go", "index", "http_panic", True, "what the HTTP server prints of a panic, and the runtime"),
    Pair("go", "index", "generic", False, "two functions that run beyond a slice"),
    Pair("go", "nil", "map", False, "two kinds of nil"),
)


def table() -> str:
    """The pairs as the documentation lists them."""
    rows = [f"| {each.language} | {each.why} | {'one' if each.same else 'two'} |" for each in PAIRS]
    return "\n".join(["| language | traces | faults |", "|---|---|---|", *rows])
