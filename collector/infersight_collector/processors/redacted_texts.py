"""Columns of text, redacted together: one look at all distinct texts of a batch, and Python only where it may find."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from infersight._redact import Redactor
from infersight_collector.processors import json_text
from infersight_collector.processors.other_members import Mask
from infersight_collector.processors.suspects import Suspects

Put = Callable[[pa.StringArray], None]
"""Takes a column over that was changed."""


@dataclass
class RedactedTexts:
    """The texts of one batch.

    Attributes:
        redactor: the rules.
        suspects: which texts they may touch.
    """

    redactor: Redactor
    suspects: Suspects
    _columns: list[tuple[pa.DictionaryArray, Put]] = field(default_factory=list[tuple[pa.DictionaryArray, Put]])

    def add(self, column: pa.StringArray, put: Put) -> None:
        """Takes note of a column of texts; `put` gets it in `redact` if that changes it."""
        if column.null_count < len(column):
            self._columns.append((column.dictionary_encode(), put))

    def redact(self) -> None:
        """Looks at all columns that were added."""
        if not self._columns:
            return
        found = self.suspects.among(pa.concat_arrays([encoded.dictionary for encoded, _ in self._columns]))
        start = 0
        for encoded, put in self._columns:
            end = start + len(encoded.dictionary)
            _replace(encoded, found[start:end], self.redactor.text, put)
            start = end
        self._columns.clear()

    def redact_json(self, column: pa.StringArray, put: Put) -> None:
        """Looks at a column of JSON; `put` gets it at once if that changes it."""
        if column.null_count < len(column):
            encoded = column.dictionary_encode()
            # Without quotes there is no text in it, and no name.
            found: Mask = pc.match_substring(encoded.dictionary, '"').to_numpy(zero_copy_only=False)
            _replace(encoded, found, self._json, put)

    def _json(self, text: str) -> str:
        value: Any = json_text.parse(text)
        kept = self.redactor.body(value)
        return text if kept is value or kept == value else json_text.dump(kept)


def _replace(encoded: pa.DictionaryArray, found: Mask, make: Callable[[str], str], put: Put) -> None:
    rows = np.flatnonzero(found)
    if not len(rows):
        return
    texts: list[str] = encoded.dictionary.take(pa.array(rows)).to_pylist()
    made = [make(text) for text in texts]
    if made != texts:
        replaced = pc.replace_with_mask(encoded.dictionary, pa.array(found), pa.array(made, pa.string()))
        put(replaced.take(encoded.indices))
