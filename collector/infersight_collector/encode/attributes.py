"""Attribute columns back to repeated KeyValues: the inverse of `decode.attributes`."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from collections.abc import Callable
from typing import Any, Final

import pyarrow as pa

from infersight_collector.decode import layout as lo
from infersight_collector.encode.fields import Column, attribute, concatenate, fixed64, nothing, text, varint
from infersight_collector.encode.values import member_fields, value_fields
from infersight_collector.store.attributes import is_json

_VALUES: Final[dict[pa.DataType, tuple[Callable[[int, Any], Column], int]]] = {
    pa.string(): (text, lo.STRING_CASE),
    pa.bool_(): (varint, lo.BOOL_CASE),
    pa.int64(): (varint, lo.INT_CASE),
    pa.float64(): (fixed64, lo.DOUBLE_CASE),
    pa.binary(): (text, lo.BYTES_CASE),
}
"""How a value of a STRUCT's field is written, and the field of AnyValue that it is."""


def attribute_fields(number: int, columns: dict[str, Any], name: str, rows: int) -> Column:
    """The attributes of each row as repeated KeyValue fields, in the order of the STRUCT, the others behind them.

    Args:
        number: of the field, below 16.
        columns: Arrow arrays by name, of which `name`, a STRUCT, and `name_other`, JSON, are the attributes.
        name: of the STRUCT column.
        rows: number of rows.

    Raises:
        ValueError: a key has a type that the layout of `store.layout` does not know.
    """
    parts = [attribute(number, field.name, _value(field, values)) for field, values in struct_fields(columns.get(name))]
    other = columns.get(f"{name}_other")
    if other is not None:
        parts.append(member_fields(number, other))
    return concatenate(parts) if parts else nothing(rows)


def struct_fields(struct: Any) -> list[tuple[pa.Field, Any]]:
    """The fields of a STRUCT column (or None), each with its values, null where the whole STRUCT is."""
    return [] if struct is None else list(zip(struct.type, struct.flatten(), strict=True))


def _value(field: pa.Field, values: Any) -> Column:
    if is_json(field):
        return value_fields(values)
    if field.type not in _VALUES:
        raise ValueError(f"the attribute '{field.name}' has the type {field.type}, which OTLP does not know")
    write, number = _VALUES[field.type]
    return write(number, values)
