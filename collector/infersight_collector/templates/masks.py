"""Values in log messages that can be told by their form alone, replaced by `<*>` in whole columns.

One set of masks for all logs, in the syntax of RE2: linear in the length of the text, whatever a sender writes.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

from typing import Any, Final

import pyarrow.compute as pc

ANY: Final = "<*>"
"""Stands in a template where messages have different values."""

MAX_LENGTH: Final = 1_000
"""Characters of a message that are looked at: a template is told by how a message begins."""

_DAY: Final = "(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?"
_MONTH: Final = (
    "(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?"
    "|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)"
)
_SIZE: Final = "[KMGTP]i?B"
_UNIT: Final = f"(?:{_SIZE}|B|[mnuµ]?s|secs?|seconds?|min|minutes?|h|hours?)"
_WORD: Final = r"[\w.@+%#$-]*\d[\w.@+%#$-]*"

_VALUES: Final = "|".join(
    [
        rf"\b(?:{_DAY},? +)?(?:{_MONTH} +\d+|\d+ {_MONTH})\b(?:,? +\d+(?:[:.,]\d+)*)*",  # Fri Jun 17 07:07:00 2005
        r"\b[a-z][a-z0-9+.-]*://[^\s\"'<>()\[\]{},;]+",  # URLs
        r"(?:\b[A-Za-z]:|\B)[/\\][^\s\"'<>()\[\]{},;|]+",  # paths
        r"\b(?:[0-9a-fA-F]{1,4}:){3,7}:?[0-9a-fA-F]{1,4}\b",  # IPv6 and MAC addresses
        # 12 ms and 1.2 s are one quantity, as are 900 B and 1.2 KiB, and <1 sec.
        rf"[<>~]?[+-]?\b\d[\d.,]* ?{_UNIT}\b",
        # Words with a digit: numbers, hexadecimal, UUIDs, IPv4 addresses with ports, ISO times, blk_123.
        rf"{_WORD}(?:[:/]{_WORD})*",
        r"\b[a-z-]+(?:\.[a-z-]+){2,}\b(?::\d+)?",  # hosts and packages: ns.example.com
        r"\b[a-fA-F]{8,}\b",  # hexadecimal that happens to have no digit
    ]
)
_REPEATED_SIZE: Final = rf" ?\(\d[\d.,]* ?{_SIZE}\)"
"""The size again for people, which senders leave out below 1 KB: `1293 bytes (1.26 KB)`."""
_RUN: Final = r"<\*>(?:[\s,;:/|#&=]*<\*>)+"
"""Values beside values, as in lists: one value, so that their number does not matter."""
_REST: Final = r"(?s)[\r\n].*$"


def masked(texts: Any) -> Any:
    """Messages with `<*>` for each value that is told by its form.

    Of a message of several lines the first counts, and of that the first `MAX_LENGTH` characters.

    Args:
        texts: a `pyarrow.Array` of strings; nulls stay null.
    """
    texts = pc.utf8_trim_whitespace(pc.utf8_slice_codeunits(texts, 0, MAX_LENGTH))
    texts = pc.replace_substring_regex(texts, _REST, "")
    texts = pc.replace_substring_regex(texts, _REPEATED_SIZE, "")
    texts = pc.replace_substring(texts, " ()", f" ({ANY})")  # an absent value: `connection from 10.0.0.1 ()`
    texts = pc.replace_substring_regex(texts, _VALUES, ANY)
    return pc.replace_substring_regex(texts, _RUN, ANY)
