"""Attributes to a STRUCT column: keys are interned, values are grouped by key with a counting sort, then copied once.

Each key has the type that most of its values in the request have. Values of another type, repeated keys, empty keys
and empty values are kept in a JSON object beside the STRUCT.
"""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

import secrets
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from infersight_collector.decode import layout as lo
from infersight_collector.decode.buffers import bool_array, double_array, int_array, text_array
from infersight_collector.decode.kernels import (
    BYTES,
    INTS,
    ROWS,
    Bytes,
    Ints,
    borrowed,
    inline,
    int64,
    kernel,
    nb,
    uint64,
)
from infersight_collector.decode.objects import json_objects
from infersight_collector.decode.values import render_json
from infersight_collector.decode.walk import Tables
from infersight_collector.decode.wire import read_word
from infersight_collector.store.schema import ATTRIBUTE_TYPES, JSON_FIELD

_SEED: Final = secrets.randbits(63)
"""Makes it impossible to send keys that are made to collide in this process."""

MAX_KEYS: Final = 1_000
"""Most keys of one STRUCT column."""

MAX_CELLS: Final = 2**24
"""Most values, nulls too, of one STRUCT column; bounds the memory that sparse keys take to some 128 MiB."""

_TYPES: Final = {
    lo.STRING_CASE: "string",
    lo.BOOL_CASE: "bool",
    lo.INT_CASE: "int",
    lo.DOUBLE_CASE: "double",
    lo.ARRAY_CASE: "json",
    lo.BYTES_CASE: "bytes",
}


@dataclass(frozen=True)
class AttributeColumns:
    """The attributes of the rows of one table.

    Attributes:
        struct: the STRUCT column, or None when no key occurs.
        other: JSON objects of what does not fit, text, null where everything fits.
    """

    struct: Any
    other: Any

    def take(self, index: Any) -> "AttributeColumns":
        """The columns for other rows, each of which has the attributes of row `index[row]` here."""
        return AttributeColumns(None if self.struct is None else self.struct.take(index), self.other.take(index))

    def named(self, name: str) -> dict[str, Any]:
        """The columns by their names in the store; without the STRUCT when it has no key."""
        return {**({} if self.struct is None else {name: self.struct}), f"{name}_other": self.other}


def attribute_columns(tables: Tables, table: str, rows: int, copies: int = 0) -> AttributeColumns:
    """The columns of one table of attributes.

    Args:
        tables: the walked request.
        table: the table of attributes; its parents are ascending.
        rows: number of rows that the parents are of.
        copies: number of rows that the columns are taken for, where these are more.
    """
    attributes = tables.rows[table]
    keys, distinct = _intern(tables.data, attributes, _SEED)
    cases, frequency = _choose_types(attributes, keys, distinct)
    limit = max(1, min(MAX_KEYS, MAX_CELLS // max(rows, copies, 1)))
    cases[np.argsort(-frequency, kind="stable")[limit:]] = 0
    order, bounds = _group(attributes, keys, cases)
    fields: list[Any] = []
    arrays: list[Any] = []
    for key in np.flatnonzero(np.diff(bounds[:-1])).tolist():
        members = order[bounds[key] : bounds[key + 1]]
        kind = _TYPES[int(cases[key])]
        name = tables.text(*attributes[members[0], [lo.KEY, lo.KEY_LENGTH]].tolist())
        fields.append(pa.field(name, ATTRIBUTE_TYPES[kind], metadata=JSON_FIELD if kind == "json" else None))
        arrays.append(_value_array(tables, attributes, members, kind, rows))
    struct = pa.StructArray.from_arrays(arrays, fields=fields) if fields else None
    left = order[bounds[-2] :]
    return AttributeColumns(struct, json_objects(tables, attributes[left], keys[left], rows))


def json_column(tables: Tables, table: str, rows: int) -> Any:
    """All attributes of one table as JSON objects, text, null where a row has none; the arguments as above."""
    attributes = tables.rows[table]
    keys, _ = _intern(tables.data, attributes, _SEED)
    return json_objects(tables, attributes, keys, rows)


def sparse_text(texts: dict[int, str], rows: int) -> Any:
    """A text column with the given rows, null elsewhere."""
    if not texts:
        return pa.nulls(rows, pa.string())
    column = [None] * rows
    for row, text in texts.items():
        column[row] = text  # type: ignore[call-overload]
    return pa.array(column, pa.string())


def _value_array(tables: Tables, attributes: Ints, members: Ints, kind: str, rows: int) -> Any:
    """The values of one key, the rows `members` of `attributes`, as an array of `rows`, null where there is none."""
    data = tables.data
    if kind == "json":
        attributes = attributes[members]
        members = np.arange(len(members))
        data, attributes[:, lo.VALUE], attributes[:, lo.VALUE_LENGTH] = render_json(tables, attributes)
    values, lengths = _scatter(attributes, members, rows)
    if kind in ("string", "json", "bytes"):
        return text_array(data, values, lengths, ATTRIBUTE_TYPES[kind])
    build = {"int": int_array, "double": double_array, "bool": bool_array}[kind]
    return build(values, lengths >= 0)


@kernel(nb.types.UniTuple(INTS, 2)(ROWS, INTS, nb.int64))
def _scatter(attributes: Ints, members: Ints, rows: int) -> tuple[Ints, Ints]:
    """Value and length by parent; length -1 where a parent has none."""
    values = np.zeros(rows, np.int64)
    lengths = np.full(rows, -1, np.int64)
    for member in members:
        parent = attributes[member, 0]
        values[parent] = attributes[member, lo.VALUE]
        lengths[parent] = attributes[member, lo.VALUE_LENGTH]
    return values, lengths


@inline
def _same(data: Bytes, a: int, b: int, length: int) -> bool:
    """Whether two ranges of the request hold the same bytes, a word at a time."""
    if length < 8:
        for i in range(length):  # noqa: SIM110 - a generator does not compile
            if data[uint64(a + i)] != data[uint64(b + i)]:
                return False
        return True
    last = length - 8
    i = 0
    while i < last:
        if read_word(data, a + i) != read_word(data, b + i):
            return False
        i += 8
    return bool(read_word(data, a + last) == read_word(data, b + last))  # overlaps the word before


@inline
def _hash(data: Bytes, start: int, length: int, seed: int) -> int:
    """A keyed multiply-and-shift hash over words."""
    state = uint64(seed) ^ uint64(length)
    i = 0
    while i < length:
        word = uint64(0)
        if i + 8 <= length:
            word = uint64(read_word(data, start + i))
        else:
            for j in range(i, length):
                word = word << uint64(8) | uint64(data[start + j])
        state = (state ^ word) * uint64(0x9E3779B97F4A7C15)
        state ^= state >> uint64(32)
        i += 8
    positive: int = int64(state >> uint64(1))
    return positive


@kernel(nb.types.Tuple((INTS, nb.int64))(BYTES, ROWS, nb.int64))
def _intern(data: Bytes, attributes: Ints, seed: int) -> tuple[Ints, int]:
    """Number the keys by first occurrence; returns the number of each row's key, and how many there are."""
    data, attributes = borrowed(data), borrowed(attributes)
    size = 16
    while size < 2 * len(attributes):
        size *= 2
    table = np.full(size, -1, np.int64)  # open addressing; holds numbers of keys
    firsts = np.empty(len(attributes), np.int64)  # the first row of each key
    after = np.full(len(attributes) + 1, -1, np.int64)  # the key that last came after each: records repeat their keys
    keys = np.empty(len(attributes), np.int64)
    distinct = 0
    previous = len(attributes)
    for row in range(len(attributes)):
        start, length = attributes[row, lo.KEY], attributes[row, lo.KEY_LENGTH]
        key = after[previous]
        if key < 0 or not (
            attributes[firsts[key], lo.KEY_LENGTH] == length
            and _same(data, attributes[firsts[key], lo.KEY], start, length)
        ):
            slot = _hash(data, start, length, seed) & (size - 1)
            key = table[slot]
            while key >= 0 and not (
                attributes[firsts[key], lo.KEY_LENGTH] == length
                and _same(data, attributes[firsts[key], lo.KEY], start, length)
            ):
                slot = (slot + 1) & (size - 1)
                key = table[slot]
            if key < 0:
                key = distinct
                table[slot] = key
                firsts[key] = row
                distinct += 1
        after[previous] = key
        keys[row] = key
        previous = key
    return keys, distinct


@inline
def _type_case(case: int) -> int:
    """Arrays and maps are one type, JSON; 0 is no value."""
    if case == lo.MAP_CASE:
        return lo.ARRAY_CASE
    return case if case <= lo.BYTES_CASE else 0


@kernel(nb.types.UniTuple(INTS, 2)(ROWS, INTS, nb.int64))
def _choose_types(attributes: Ints, keys: Ints, distinct: int) -> tuple[Ints, Ints]:
    """The type that most values of each key have, as the case of an AnyValue or 0 for none, and how many have it."""
    counts = np.zeros((distinct, lo.BYTES_CASE + 1), np.int64)
    for row in range(len(attributes)):
        if attributes[row, lo.KEY_LENGTH] > 0:
            counts[keys[row], _type_case(attributes[row, lo.CASE])] += 1
    cases = np.zeros(distinct, np.int64)
    frequency = np.zeros(distinct, np.int64)
    for key in range(distinct):
        for case in range(1, lo.BYTES_CASE + 1):
            if counts[key, case] > frequency[key]:
                cases[key] = case
                frequency[key] = counts[key, case]
    return cases, frequency


@kernel(nb.types.UniTuple(INTS, 2)(ROWS, INTS, INTS))
def _group(attributes: Ints, keys: Ints, cases: Ints) -> tuple[Ints, Ints]:
    """Group attributes by key with a counting sort, those that do not fit last.

    Args:
        attributes: int64 `[attributes, slots]`.
        keys: the number of each one's key.
        cases: the type of each key, 0 for keys without a group.

    Returns:
        Rows of attributes by group, each group in its order; the bounds of the group of each key and of what is left.
    """
    distinct = len(cases)
    last_parent = np.full(distinct, -1, np.int64)
    groups = np.empty(len(attributes), np.int64)
    ends = np.zeros(distinct + 2, np.int64)
    for row in range(len(attributes)):
        key = keys[row]
        fits = cases[key] != 0 and cases[key] == _type_case(attributes[row, lo.CASE])
        group = key if fits and last_parent[key] != attributes[row, 0] else distinct
        groups[row] = group
        last_parent[key] = attributes[row, 0]
        ends[group + 1] += 1
    bounds = np.empty(distinct + 2, np.int64)
    total = 0
    for group in range(distinct + 2):
        total += ends[group]
        bounds[group] = total
        ends[group] = total
    order = np.empty(len(attributes), np.int64)
    for row in range(len(attributes)):
        order[ends[groups[row]]] = row
        ends[groups[row]] += 1
    return order, bounds
