# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeStubs=false
# (pyarrow publishes no type information)
"""Results of SQL as plain values that JSON can say, exactly.

- 64-bit and 128-bit integers stay integers; decimals are numbers where a double is exact, text otherwise;
- times are ISO 8601 with nanoseconds and `Z`, dates and times of day as usual;
- NaN and the infinities are the texts "NaN", "Infinity", "-Infinity", and bytes are base64, as in OTLP/JSON;
- STRUCTs and MAPs are objects, lists arrays, JSON what it says; everything else is its text.
"""

import base64
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import islice
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from infersight_analysis.times import iso_time

Json = Any
"""A value of JSON: None, bool, int, float, str, list or dict."""

_BATCH_ROWS: Final = 10_000
_NS: Final = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


@dataclass(frozen=True)
class Result:
    """Rows of a query, encoded as they are read.

    Args:
        columns: names, made distinct.
        types: DuckDB's types, as text.
        rows: values in the order of the columns; read once.
    """

    columns: Sequence[str]
    types: Sequence[str]
    rows: Iterator[tuple[Json, ...]]

    def objects(self) -> Iterator[dict[str, Json]]:
        """The rows as objects."""
        return (dict(zip(self.columns, row, strict=True)) for row in self.rows)


def run(connection: duckdb.DuckDBPyConnection, query: str) -> Result:
    """Run one query and read its result in batches.

    Args:
        connection: from `connect`.
        query: one SELECT or EXPLAIN.

    Raises:
        duckdb.Error: the query is wrong, or too large for the limits.
    """
    relation = connection.sql(query)
    types = list(relation.types)
    return Result(_distinct(relation.columns), [str(kind) for kind in types], _rows(relation, types))


def _distinct(names: Sequence[str]) -> list[str]:
    """Names with `_1`, `_2`, ... on later ones of the same name, for keys of an object must differ."""
    taken = set(names)
    distinct: list[str] = []
    for name in names:
        candidate, number = name, 0
        while candidate in distinct or (number and candidate in taken):
            number += 1
            candidate = f"{name}_{number}"
        distinct.append(candidate)
    return distinct


def _rows(relation: duckdb.DuckDBPyRelation, types: Sequence[Any]) -> Iterator[tuple[Json, ...]]:
    for batch in relation.to_arrow_reader(_BATCH_ROWS):
        columns = [_values(array, kind) for array, kind in zip(batch.columns, types, strict=True)]
        yield from zip(*columns, strict=True)


def _values(array: pa.Array, kind: Any) -> list[Json]:
    """The encoded values of a column, by its Arrow form; `kind` is DuckDB's type, which knows JSON from text."""
    arrow = array.type
    if isinstance(arrow, pa.ExtensionType):
        return [None if value is None else str(value) for value in array.to_pylist()]
    if pa.types.is_struct(arrow):
        return _structs(array, kind)
    if pa.types.is_map(arrow):
        return _maps(array, kind)
    if pa.types.is_list(arrow) or pa.types.is_large_list(arrow) or pa.types.is_fixed_size_list(arrow):
        return _lists(array, kind)
    if pa.types.is_timestamp(arrow):
        factor = _NS[arrow.unit]
        return [None if value is None else iso_time(value * factor) for value in array.cast(pa.int64()).to_pylist()]
    encode = _encode_json if str(kind) == "JSON" else _encode
    return [None if value is None else encode(value) for value in array.to_pylist()]


def _structs(array: pa.Array, kind: Any) -> list[Json]:
    names = [name for name, _ in kind.children]
    columns = [
        _values(child, child_kind) for child, (_, child_kind) in zip(array.flatten(), kind.children, strict=True)
    ]
    valid = array.is_valid().to_pylist()
    rows = zip(*columns, strict=True)
    return [dict(zip(names, row, strict=True)) if there else None for row, there in zip(rows, valid, strict=True)]


def _lists(array: pa.Array, kind: Any) -> list[Json]:
    flat = iter(_values(array.flatten(), kind.children[0][1]))  # without the elements of nulls
    lengths = pc.list_value_length(array).to_pylist()  # pyright: ignore[reportAttributeAccessIssue] - made at import
    return [None if length is None else list(islice(flat, length)) for length in lengths]


def _maps(array: pa.Array, kind: Any) -> list[Json]:
    (_, key_kind), (_, item_kind) = kind.children
    offsets = array.offsets.to_pylist()
    first = offsets[0] if offsets else 0
    keys = _values(array.keys.slice(first, offsets[-1] - first), key_kind)
    items = _values(array.items.slice(first, offsets[-1] - first), item_kind)
    encoded: list[Json] = []
    for there, low, high in zip(array.is_valid().to_pylist(), offsets, offsets[1:], strict=False):
        members = zip(keys[low - first : high - first], items[low - first : high - first], strict=True)
        encoded.append({_key(key): item for key, item in members} if there else None)
    return encoded


def _key(key: Json) -> str:
    return key if isinstance(key, str) else json.dumps(key)


def _encode_json(text: str) -> Json:
    return json.loads(text, parse_float=_number, parse_constant=str)


def _number(text: str) -> Json:
    value = float(text)
    return value if math.isfinite(value) else text


def _encode(value: Any) -> Json:
    encode = _ENCODERS.get(type(value))
    return str(value) if encode is None else encode(value)


def _encode_float(value: float) -> Json:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _encode_decimal(value: Decimal) -> Json:
    if value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)


def _encode_moment(value: date | time) -> Json:
    return value.isoformat()


_ENCODERS: Final[dict[type, Callable[[Any], Json]]] = {
    bool: bool,
    int: int,
    str: str,
    float: _encode_float,
    Decimal: _encode_decimal,
    bytes: lambda value: base64.b64encode(value).decode(),
    date: _encode_moment,
    time: _encode_moment,
    datetime: lambda value: value.astimezone(UTC).isoformat(),
}
