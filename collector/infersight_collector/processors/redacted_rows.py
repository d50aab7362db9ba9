"""The places of a table that a secret can be in."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from infersight_collector.processors.attributes import RESOURCE_ATTRIBUTES, with_resource
from infersight_collector.processors.edited import EditedAttributes, array_of, with_column
from infersight_collector.processors.redacted_texts import RedactedTexts
from infersight_collector.store.attributes import is_json
from infersight_collector.store.layout import ATTRIBUTE_COLUMNS, NESTED_ATTRIBUTES, SERVICE_COLUMNS

_SOURCE: Final = ("scope_name", "scope_version", "scope_schema_url", "resource_schema_url")

_TEXTS: Final[dict[str, tuple[str, ...]]] = {
    "spans": ("name", "status_message", *_SOURCE),
    "logs": ("severity_text", "event_name", *_SOURCE),
    "metrics": ("name", "description", "unit", *_SOURCE),
    "exemplars": ("metric_name", "scope_name"),
    "elements": ("name",),
}
"""Columns of text; ids, enumerations and the trace state have a form of their own."""

_STRUCTURED: Final = ("array", "map", "bytes")
"""Types of a body that is JSON with texts in it."""


class RedactedRows:
    """Rows of one table.

    Args:
        table: its name, or `elements` for those of a list column.
        rows: the rows, one at least.
        texts: gets the texts; what it finds is in `rows()` after `texts.redact()`.
    """

    def __init__(self, table: str, rows: pa.Table | pa.RecordBatch, texts: RedactedTexts) -> None:
        self._original: Any = rows
        self._texts = texts
        self._columns: dict[str, pa.Array] = {}
        for name in _TEXTS[table]:
            if name in rows.schema.names:
                texts.add(array_of(rows, name), partial(self._columns.__setitem__, name))
        if table == "logs":
            self._add_bodies()
        if table == "metrics":
            texts.redact_json(array_of(rows, "metadata"), partial(self._columns.__setitem__, "metadata"))
        columns = ATTRIBUTE_COLUMNS.get(table, ("attributes",))
        self._attributes = {column: RedactedAttributes(rows, column, texts) for column in columns}
        self._elements = {
            column: RedactedElements(array_of(rows, column), texts)
            for column in NESTED_ATTRIBUTES.get(table, ())
            if column in rows.schema.names
        }

    def rows(self) -> Any:
        """The redacted rows; the same object when there was nothing to redact."""
        rows = self._original
        for name, values in self._columns.items():
            rows = with_column(rows, name, values)
        for column, attributes in self._attributes.items():
            rows = attributes.write(rows, column)
        for column, elements in self._elements.items():
            lists = elements.lists()
            if lists is not None:
                rows = with_column(rows, column, lists)
        return rows

    def _add_bodies(self) -> None:
        bodies = array_of(self._original, "body")
        structured = pc.is_in(array_of(self._original, "body_type"), pa.array(_STRUCTURED))
        nothing = pa.scalar(None, pa.string())

        def put(redacted: pa.StringArray) -> None:
            self._columns["body"] = pc.coalesce(redacted, self._columns.get("body", bodies))

        self._texts.redact_json(pc.if_else(structured, bodies, nothing), put)
        self._texts.add(pc.if_else(structured, nothing, bodies), put)


class RedactedAttributes:
    """One attribute column.

    Args:
        rows: the rows that have it.
        column: its name.
        texts: gets the texts.
    """

    def __init__(self, rows: pa.Table | pa.RecordBatch, column: str, texts: RedactedTexts) -> None:
        self._attributes = EditedAttributes.of(rows, column)
        self._redactor = texts.redactor
        self._changed: set[str] = set()
        if self._attributes.rewrite_other(self._redactor.attributes):
            self._changed.update(SERVICE_COLUMNS)
        for key, (field, values) in self._attributes.fields.items():
            if self._redactor.key(key)[0] or pa.types.is_binary(values.type):
                kept = _each(values, partial(self._redactor.value, key))
                if not kept.equals(values):
                    self._put(key, kept)
            elif is_json(field):
                texts.redact_json(values, partial(self._put, key, json=True))
            elif pa.types.is_string(values.type):
                texts.add(values, partial(self._put, key))

    def write(self, rows: Any, column: str) -> Any:
        """The rows with what is left of the attributes."""
        for key in self._attributes.fields:
            name = self._redactor.key(key)[1]
            if name != key:
                held = self._attributes.holds(key) & ~self._attributes.holds(name)
                self._attributes.copy(key, name, held)
                self._attributes.remove(key)
        if column == RESOURCE_ATTRIBUTES:
            return with_resource(rows, self._attributes, self._changed)
        return self._attributes.write(rows, column)

    def _put(self, key: str, values: pa.Array, *, json: bool = False) -> None:
        self._attributes.put_field(key, values, json=json)
        self._changed.add(key)


class RedactedElements:
    """The elements of a list column: events and links, with attributes of their own."""

    def __init__(self, lists: pa.ListArray, texts: RedactedTexts) -> None:
        self._lists = lists
        self._elements = pa.RecordBatch.from_struct_array(lists.flatten())
        self._redacted = RedactedRows("elements", self._elements, texts)

    def lists(self) -> pa.ListArray | None:
        """The lists of redacted elements; None when there was nothing to redact."""
        redacted = self._redacted.rows()
        if redacted is self._elements:
            return None
        lengths = pc.fill_null(pc.list_value_length(self._lists), 0).to_numpy(zero_copy_only=False)
        offsets = pa.array(np.concatenate(([0], np.cumsum(lengths))).astype(np.int32))
        return pa.ListArray.from_arrays(offsets, redacted.to_struct_array(), mask=self._lists.is_null())


def _each(values: pa.Array, make: Callable[[Any], Any]) -> pa.Array:
    """What a function makes of each distinct value: bytes of bytes, or texts."""
    encoded = values.dictionary_encode()
    made = [make(value) for value in encoded.dictionary.to_pylist()]
    kind = pa.binary() if any(isinstance(value, bytes) for value in made) else pa.string()
    return pa.array(made, kind).take(encoded.indices)
