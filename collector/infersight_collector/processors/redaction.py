"""The processor `redaction`: the SDK's rules again, for senders that are not ours."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

import re
import sys
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from infersight._redact import Action, Pattern, Redactor
from infersight_collector.component import Batch
from infersight_collector.processors.redacted_rows import RedactedRows
from infersight_collector.processors.redacted_texts import RedactedTexts
from infersight_collector.processors.suspects import Suspects

_WHOLE: Final = sys.maxsize


@dataclass
class RedactionProcessor:
    """Configuration of `redaction`; see the SDK's page for the rules.

    Texts are not cut: what a sender has sent whole is kept whole.

    Attributes:
        action: `mask` writes `[redacted:NAME]`, `hash` adds a keyed hash by which equal values stay equal, `drop`
            removes the attribute or the text.
        keys: further attributes whose values are secrets, compared without regard to case.
        patterns: further patterns by their names, in the syntax of RE2.
        hash_key: key of the hashes.
    """

    action: Action = "mask"
    keys: list[str] = field(default_factory=list[str])
    patterns: dict[str, str] = field(default_factory=dict[str, str])
    hash_key: str = field(default="", repr=False)
    _redactor: Redactor = field(init=False, repr=False, compare=False)
    _suspects: Suspects = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if (self.action == "hash") != bool(self.hash_key):
            raise ValueError("'action: hash' and 'hash_key' belong together: write hash_key: ${env:REDACTION_KEY}")
        patterns = tuple(_pattern(name, expression) for name, expression in self.patterns.items())
        self._redactor = Redactor(self.action, frozenset(self.keys), patterns, _WHOLE, self.hash_key.encode())
        self._suspects = Suspects(patterns)

    def process(self, batch: Batch) -> Batch:
        """The batch without secrets."""
        texts = RedactedTexts(self._redactor, self._suspects)
        tables = {table: RedactedRows(table, rows, texts) for table, rows in batch.tables.items() if rows.num_rows}
        texts.redact()
        return batch.replaced({table: redacted.rows() for table, redacted in tables.items()})


def _pattern(name: str, expression: str) -> Pattern:
    try:
        # RE2 takes linear time, and its classes are those of ASCII.
        pc.match_substring_regex(pa.array([""]), expression)
        return Pattern(name, re.compile(expression, re.ASCII))
    except (pa.ArrowInvalid, re.error) as error:
        raise ValueError(f"the pattern '{name}' cannot be read: {error}") from error
