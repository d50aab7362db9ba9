"""Attributes of rows while a processor changes them.

The values of a key are in a field of the STRUCT, or in the JSON beside it where they do not fit; here they are one.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, Final, Self, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from infersight_collector.processors import json_text
from infersight_collector.processors.other_members import Mask, OtherMembers
from infersight_collector.store.attributes import is_json
from infersight_collector.store.schema import ATTRIBUTE_TYPES, JSON_FIELD

_Rows = TypeVar("_Rows", pa.Table, pa.RecordBatch)

_KINDS: Final = {str: "string", bool: "bool", int: "int", float: "double", bytes: "bytes", list: "json", dict: "json"}


def array_of(rows: pa.Table | pa.RecordBatch, name: str) -> pa.Array:
    """A column in one piece."""
    column = rows.column(name)
    if isinstance(column, pa.Array):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def with_column(rows: _Rows, name: str, values: pa.Array | None) -> _Rows:
    """The rows with a column replaced or added, or without it where there are no values."""
    place = rows.schema.get_field_index(name)
    if values is None:
        return rows if place < 0 else rows.remove_column(place)
    field = pa.field(name, values.type)
    return rows.append_column(field, values) if place < 0 else rows.set_column(place, field, values)


class EditedAttributes:
    """The attributes of one column.

    Args:
        rows: number of rows.
        struct: the STRUCT, or None when no row has a key that fits one.
        other: the JSON beside it, or None.
    """

    def __init__(self, rows: int, struct: pa.StructArray | None, other: pa.StringArray | None) -> None:
        self._rows = rows
        arrays = struct.flatten() if struct is not None else []
        fields = list(struct.type) if struct is not None else []
        self._fields = {field.name: (field, array) for field, array in zip(fields, arrays, strict=True)}
        self._other = OtherMembers(other) if other is not None and other.null_count < rows else None
        self._changed = False
        self._other_changed = False

    @classmethod
    def of(cls, rows: pa.Table | pa.RecordBatch, column: str) -> Self:
        """Those in the column of this name, and in the one beside it."""
        names = rows.schema.names
        struct, other = (
            array_of(rows, name) if name in names and rows.num_rows else None for name in (column, f"{column}_other")
        )
        return cls(rows.num_rows, struct, other)

    def write(self, rows: _Rows, column: str) -> _Rows:
        """The rows with these attributes; the same rows when nothing was changed."""
        if self._changed:
            rows = with_column(rows, column, self._struct())
        if self._other_changed and self._other is not None:
            rows = with_column(rows, f"{column}_other", self._other.column())
        return rows

    @property
    def fields(self) -> Mapping[str, tuple[pa.Field, pa.Array]]:
        """The fields of the STRUCT by key, each with its values."""
        return dict(self._fields)

    def holds(self, key: str) -> Mask:
        """Which rows have a key."""
        found = np.zeros(self._rows, bool)
        if key in self._fields:
            found |= self._fields[key][1].is_valid().to_numpy(zero_copy_only=False)
        found[list(self._first_other(key))] = True
        return found

    def holds_elsewhere(self, key: str) -> Mask:
        """Which rows have a key with a value that does not fit the STRUCT."""
        found = np.zeros(self._rows, bool)
        found[list(self._first_other(key))] = True
        if key in self._fields:
            found &= self._fields[key][1].is_null().to_numpy(zero_copy_only=False)
        return found

    def assign(self, key: str, values: pa.Array, where: Mask | None = None, *, json: bool = False) -> None:
        """Gives rows a value.

        Args:
            key: the attribute.
            values: one value a row, of a type of `ATTRIBUTE_TYPES`; a null takes the attribute away.
            where: which rows; all of them by default.
            json: whether the values are arrays and maps, as JSON.
        """
        where = np.ones(self._rows, bool) if where is None else where
        if not where.any():
            return
        self._remove_other(key, where)
        field = pa.field(key, values.type, metadata=JSON_FIELD if json else None)
        old_field, old = self._fields.get(key, (field, pa.nulls(self._rows, values.type)))
        if old_field.type == field.type and is_json(old_field) == json:
            self._put(field, values if where.all() else pc.if_else(pa.array(where), values, old))
            return
        # Values of two types: those in the STRUCT keep its type, if any of them is left.
        left = pc.if_else(pa.array(where), pa.scalar(None, old.type), old)
        new = pc.if_else(pa.array(where), values, pa.scalar(None, values.type))
        if left.null_count == self._rows:
            self._put(field, new)
        else:
            self._put(old_field, left)
            self._put_other(key, new, json=json)

    def assign_each(self, key: str, values: Mapping[int, Any]) -> None:
        """Gives some rows a value each, as Python values."""
        by_kind: defaultdict[str, dict[int, Any]] = defaultdict(dict)
        for row, value in values.items():
            if type(value) in _KINDS:
                by_kind[_KINDS[type(value)]][row] = value
        for kind, of_kind in by_kind.items():
            column: list[Any] = [None] * self._rows
            for row, value in of_kind.items():
                column[row] = json_text.dump(value) if kind == "json" else value
            where = np.zeros(self._rows, bool)
            where[list(of_kind)] = True
            self.assign(key, pa.array(column, ATTRIBUTE_TYPES[kind]), where, json=kind == "json")

    def put_field(self, key: str, values: pa.Array, *, json: bool = False) -> None:
        """Replaces a field of the STRUCT and leaves what is beside it."""
        self._put(pa.field(key, values.type, metadata=JSON_FIELD if json else None), values)

    def remove(self, key: str) -> None:
        """Takes an attribute away from all rows."""
        self._changed |= self._fields.pop(key, None) is not None
        self._remove_other(key, np.ones(self._rows, bool))

    def copy(self, source: str, key: str, where: Mask) -> None:
        """Gives rows the value of another attribute, where they have that."""
        elsewhere = self._first_other(source)
        if source in self._fields:
            field, values = self._fields[source]
            held = values.is_valid().to_numpy(zero_copy_only=False)
            elsewhere = {row: value for row, value in elsewhere.items() if not held[row]}
            self.assign(key, values, where & held, json=is_json(field))
        self.assign_each(key, {row: value for row, value in elsewhere.items() if where[row]})

    def replace(self, key: str, make: Callable[[Any], str | None]) -> None:
        """Replaces each value of an attribute by a text made of it, or takes it away where that is None.

        Args:
            key: the attribute.
            make: called once for each distinct value; arrays and maps come as JSON.
        """
        held = self.holds(key)
        self.assign(key, self._mapped(key, lambda value, _is_json: make(value)), held)

    def text(self, key: str) -> pa.StringArray:
        """The values of an attribute as text, null where a row has none: strings as they are, others as JSON."""
        return self._mapped(key, lambda value, _is_json: value if isinstance(value, str) else json_text.dump(value))

    def strings(self, key: str) -> pa.StringArray:
        """The values of an attribute that are strings, null elsewhere."""
        return self._mapped(key, lambda value, of_json: value if isinstance(value, str) and not of_json else None)

    def rewrite_other(self, change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> bool:
        """See `OtherMembers.rewrite`."""
        changed = self._other is not None and self._other.rewrite(change)
        self._other_changed |= changed
        return changed

    def _mapped(self, key: str, make: Callable[[Any, bool], str | None]) -> pa.StringArray:
        """A text for each row that has the key, made of each distinct value and of whether that is JSON."""
        texts = pa.nulls(self._rows, pa.string())
        if key in self._fields:
            field, values = self._fields[key]
            encoded = values.dictionary_encode()
            made = [make(value, is_json(field)) for value in encoded.dictionary.to_pylist()]
            texts = pa.array(made, pa.string()).take(encoded.indices)
        elsewhere = self._first_other(key)
        if not elsewhere:
            return texts
        held = self._fields[key][1].is_valid().to_numpy(zero_copy_only=False) if key in self._fields else None
        column = texts.to_pylist()
        for row, value in elsewhere.items():
            if value is not None and (held is None or not held[row]):
                nested = isinstance(value, list | dict)
                column[row] = make(json_text.dump(value) if nested else value, nested)
        return pa.array(column, pa.string())

    def _struct(self) -> pa.StructArray | None:
        kept = [(field, values) for field, values in self._fields.values() if values.null_count < self._rows]
        if not kept:
            return None
        return pa.StructArray.from_arrays([values for _, values in kept], fields=[field for field, _ in kept])

    def _put(self, field: pa.Field, values: pa.Array) -> None:
        self._fields[field.name] = (field, values)
        self._changed = True

    def _first_other(self, key: str) -> dict[int, Any]:
        return {} if self._other is None else self._other.first(key)

    def _remove_other(self, key: str, where: Mask) -> None:
        if self._other is not None:
            self._other_changed |= self._other.remove(key, where)

    def _put_other(self, key: str, values: pa.Array, *, json: bool) -> None:
        if self._other is None:
            self._other = OtherMembers(pa.nulls(self._rows, pa.string()))
        rows = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False)).tolist()
        texts = values.drop_null().to_pylist()
        self._other.put(
            key, {row: text if json else json_text.dump(text) for row, text in zip(rows, texts, strict=True)}
        )
        self._other_changed = True
