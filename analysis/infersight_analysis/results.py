"""Results of SQL as plain values that JSON can say, exactly.

- 64-bit and 128-bit integers stay integers; decimals are numbers where a double is exact, text otherwise;
- times are ISO 8601 with nanoseconds and `Z`, dates and times of day as usual;
- NaN and the infinities are the texts "NaN", "Infinity", "-Infinity", and bytes are base64, as in OTLP/JSON;
- STRUCTs and MAPs are objects, lists arrays, JSON what it says; everything else is its text.

What Python would not hold exactly (nanoseconds, dates before Christ) DuckDB makes text, by a cast around the query.
"""

import base64
import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeAlias

import duckdb

from infersight_analysis.stored import identifier

Json: TypeAlias = Any
"""A value of JSON: None, bool, int, float, str, list or dict."""

_BATCH_ROWS: Final = 10_000
_TEXT: Final = "VARCHAR"
_TIME: Final = re.compile(r"(\d{4,6}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?(?:\+00)?")


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
    """Run one query and read its result in batches; until it was read, the connection does nothing else.

    Args:
        connection: from `connect`.
        query: one SELECT or EXPLAIN.

    Raises:
        duckdb.Error: the query is wrong, or too large for the limits.
    """
    relation = connection.sql(query)
    types = list(relation.types)
    forms = [_form(kind) for kind in types]
    casts = [f"#{number}::{form.read_as}" if form.read_as else f"#{number}" for number, form in enumerate(forms, 1)]
    text = relation.project(", ".join(casts)).sql_query()
    rows = _rows(connection.execute(text), [form.encode for form in forms])
    return Result(distinct_names(relation.columns), [str(kind) for kind in types], rows)


def distinct_names(names: Sequence[str]) -> list[str]:
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


Encode: TypeAlias = Callable[[Any], Json]


class _Form(NamedTuple):
    """How values of a type are read.

    Args:
        read_as: the type to cast them to, "" where Python holds them as they are.
        encode: from Python's value, which is not None, to JSON's; None where they are the same.
    """

    read_as: str = ""
    encode: Encode | None = None


def _rows(cursor: duckdb.DuckDBPyConnection, encodes: Sequence[Encode | None]) -> Iterator[tuple[Json, ...]]:
    encoded = [(place, encode) for place, encode in enumerate(encodes) if encode]
    while rows := cursor.fetchmany(_BATCH_ROWS):
        for row in rows:
            values = list(row)
            for place, encode in encoded:
                if values[place] is not None:
                    values[place] = encode(values[place])
            yield tuple(values)


def _form(kind: Any) -> _Form:
    """The form of DuckDB's type `kind`."""
    if str(kind) == "JSON":
        return _Form(encode=_encode_json)
    if kind.id in _FORMS:
        return _FORMS[kind.id]
    if kind.id == "struct":
        return _struct(kind)
    if kind.id in {"list", "array"}:
        return _list(kind)
    if kind.id == "map":
        return _map(kind)
    return _Form(_TEXT, _encode_time if kind.id.startswith("timestamp") else None)


def _struct(kind: Any) -> _Form:
    forms = {name: (child, _form(child)) for name, child in kind.children}
    members = ", ".join(f"{identifier(name)} {form.read_as or child}" for name, (child, form) in forms.items())
    encodes = [(name, form.encode) for name, (_, form) in forms.items() if form.encode]

    def encode(values: dict[str, Any]) -> Json:
        for name, member in encodes:
            if values[name] is not None:
                values[name] = member(values[name])
        return values

    cast = any(form.read_as for _, form in forms.values())
    return _Form(f"STRUCT({members})" if cast else "", encode if encodes else None)


def _list(kind: Any) -> _Form:
    form = _form(kind.children[0][1])
    member = form.encode

    def encode(values: Sequence[Any]) -> Json:
        return [None if value is None or member is None else member(value) for value in values]

    # a list of a fixed length is a tuple
    return _Form(f"{form.read_as}[]" if form.read_as else "", encode if member else list)


def _map(kind: Any) -> _Form:
    (_, _), (_, item) = kind.children
    form = _form(item)
    member = form.encode

    def encode(values: dict[str, Any]) -> Json:
        return {key: None if value is None or member is None else member(value) for key, value in values.items()}

    return _Form(f"MAP({_TEXT}, {form.read_as or item})", encode if member else None)


def _encode_json(text: str) -> Json:
    return json.loads(text, parse_float=_number, parse_constant=str)


def _number(text: str) -> Json:
    value = float(text)
    return value if math.isfinite(value) else text


def _encode_time(text: str) -> Json:
    found = _TIME.fullmatch(text)  # not so the infinities, and years before Christ
    return f"{found[1]}T{found[2]}.{found[3] or '':0<9}Z" if found else text


def _encode_float(value: float) -> Json:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _encode_decimal(value: Decimal) -> Json:
    if value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)


def _encode_bytes(value: bytes) -> Json:
    return base64.b64encode(value).decode()


_INTEGERS: Final = ("tinyint", "smallint", "integer", "bigint", "hugeint")
_FORMS: Final = {
    "boolean": _Form(),
    "varchar": _Form(),
    **dict.fromkeys((*_INTEGERS, *(f"u{name}" for name in _INTEGERS)), _Form()),
    "float": _Form(encode=_encode_float),
    "double": _Form(encode=_encode_float),
    "decimal": _Form(encode=_encode_decimal),
    "blob": _Form(encode=_encode_bytes),
    "variant": _Form("JSON", _encode_json),
}
