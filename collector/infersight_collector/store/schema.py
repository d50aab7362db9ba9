"""The columns as Arrow has them, see `layout`."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportUnknownLambdaType=false
# pyarrow publishes no types.

from typing import Final

import pyarrow as pa

from infersight_collector.store.layout import COLUMN_TYPES, JSON_MARK, STORE_ONLY, Type

ATTRIBUTE_TYPES: Final[dict[str, pa.DataType]] = {
    "string": pa.string(),
    "bool": pa.bool_(),
    "int": pa.int64(),
    "double": pa.float64(),
    "bytes": pa.binary(),
    "json": pa.string(),
}
"""Arrow type of an attribute's STRUCT field by the kind of its OTLP value; arrays and maps are `json`."""

JSON_FIELD: Final = {JSON_MARK[0].encode(): JSON_MARK[1].encode()}
"""The metadata of JSON fields, as Arrow has it."""

_NAMED: Final[dict[str, pa.DataType]] = {
    "string": pa.string(),
    "boolean": pa.bool_(),
    "integer": pa.int32(),
    "long": pa.int64(),
    "double": pa.float64(),
}


def _arrow(kind: Type) -> pa.DataType:
    """Arrow's type for one of the layout."""
    if isinstance(kind, str):
        return _NAMED[kind]
    if "elementType" in kind:
        return pa.list_(_arrow(kind["elementType"]))
    return pa.struct([(field["name"], _arrow(field["type"])) for field in kind["fields"]])


STORED: Final[dict[str, pa.Schema]] = {
    table: pa.schema([(name, _arrow(kind)) for name, kind in types.items()]) for table, types in COLUMN_TYPES.items()
}
"""The stored columns of fixed type of each table. Attribute columns and `events`/`links` come with the keys of the
data."""

COLUMNS: Final[dict[str, pa.Schema]] = {
    table: pa.schema([field for field in schema if field.name not in STORE_ONLY.get(table, ())])
    for table, schema in STORED.items()
    if table != "traces"
}
"""The same for rows that are not stored yet, as `decode` makes them."""
