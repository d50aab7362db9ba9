"""The `*_other` column beside an attribute STRUCT: JSON objects in text, edited one distinct text at a time."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from infersight_collector.processors import json_text

Mask = npt.NDArray[np.bool_]
"""One truth value a row."""


class OtherMembers:
    """The members of the JSON objects of some rows.

    Args:
        column: texts, null where a row has none.
    """

    def __init__(self, column: pa.StringArray) -> None:
        encoded = column.dictionary_encode()
        self._texts: list[str] = encoded.dictionary.to_pylist()
        # The text of each row, -1 for none.
        self._codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)

    def column(self) -> pa.StringArray:
        """The texts as a column."""
        indices = pa.array(self._codes, mask=self._codes < 0)
        return pa.DictionaryArray.from_arrays(indices, pa.array(self._texts, pa.string())).dictionary_decode()

    def first(self, key: str) -> dict[int, Any]:
        """The value of a key by row; the first one where it is repeated."""
        found: dict[int, Any] = {}
        for code, document in self._with(key):
            value = document[json_text.named(document, key)[0]]
            found.update(dict.fromkeys(np.flatnonzero(self._codes == code).tolist(), value))
        return found

    def remove(self, key: str, where: Mask) -> bool:
        """Removes a key from some rows, each occurrence of it; False where none of them has it."""
        found = [(code, document) for code, document in self._with(key) if ((self._codes == code) & where).any()]
        for code, document in found:
            for name in json_text.named(document, key):
                del document[name]
            replacement = self._add(json_text.dump(document)) if document else -1
            self._codes[(self._codes == code) & where] = replacement
        return bool(found)

    def put(self, key: str, values: Mapping[int, str]) -> None:
        """Puts a member in front of those of some rows.

        Args:
            key: its key.
            values: its value by row, as JSON.
        """
        made: dict[tuple[int, str], int] = {}
        for row, value in values.items():
            before = int(self._codes[row])
            if (before, value) not in made:
                inner = self._texts[before].strip()[1:-1] if before >= 0 else ""
                members = ",".join(filter(None, (f"{json_text.dump(key)}:{value}", inner)))
                made[before, value] = self._add(f"{{{members}}}")
            self._codes[row] = made[before, value]

    def rewrite(self, change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> bool:
        """Replaces each object by what a function makes of it; True where it made another one of any.

        The function returns the same object where it changes nothing.
        """
        changed = False
        for code in np.unique(self._codes[self._codes >= 0]).tolist():
            document = json_text.parse(self._texts[code])
            made = change(document)
            if made is not document:
                self._codes[self._codes == code] = self._add(json_text.dump(made)) if made else -1
                changed = True
        return changed

    def _add(self, text: str) -> int:
        self._texts.append(text)
        return len(self._texts) - 1

    def _with(self, key: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """The texts that have a key, parsed."""
        quoted = json_text.dump(key)
        for code, text in enumerate(self._texts):
            if quoted in text:
                document = json_text.parse(text)
                if json_text.named(document, key):
                    yield code, document
