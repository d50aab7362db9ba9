"""The stored columns as Arrow has them, see `layout`."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportUnknownLambdaType=false
# pyarrow publishes no types.

from typing import Final

import pyarrow as pa

from infersight_collector.store.layout import COLUMN_TYPES

ATTRIBUTE_TYPES: Final[dict[str, pa.DataType]] = {
    "string": pa.string(),
    "boolean": pa.bool_(),
    "int": pa.int64(),
    "double": pa.float64(),
    "bytes": pa.binary(),
    "json": pa.string(),
}
"""Arrow type of an attribute's STRUCT field by the kind of its OTLP value; arrays and maps are `json`."""

_TYPES: Final[dict[str, pa.DataType]] = {
    "string": pa.string(),
    "boolean": pa.bool_(),
    "integer": pa.int32(),
    "long": pa.int64(),
    "double": pa.float64(),
    "array<long>": pa.list_(pa.int64()),
    "array<double>": pa.list_(pa.float64()),
    "array<quantile>": pa.list_(pa.struct([("quantile", pa.float64()), ("value", pa.float64())])),
}

COLUMNS: Final[dict[str, pa.Schema]] = {
    table: pa.schema([(name, _TYPES[kind]) for name, kind in columns.items()])
    for table, columns in COLUMN_TYPES.items()
}
"""The columns of fixed type of each table. Attribute columns and `events`/`links` come with the keys of the data."""
