"""The columns that say where a record comes from: its resource and its instrumentation scope."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

import json
from typing import Any

import numpy as np
import pyarrow as pa
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.common.v1.common_pb2 import EntityRef

from infersight_collector.decode import layout as lo
from infersight_collector.decode.attributes import attribute_columns, sparse_text
from infersight_collector.decode.columns import count_column, text_column
from infersight_collector.decode.kernels import BYTES, INTS, ROWS, Bytes, Ints, kernel, nb
from infersight_collector.decode.values import value_text
from infersight_collector.decode.walk import Tables
from infersight_collector.store.layout import SERVICE_COLUMNS


def source_columns(tables: Tables, scopes: Ints, copies: int = 0) -> dict[str, Any]:
    """The resource and scope columns of records.

    Args:
        tables: the walked request.
        scopes: the scope, a row of `scopes`, of each record, int64 `[records]`.
        copies: number of rows that the columns are taken for, where these are more than the records.
    """
    copies = max(copies, len(scopes))
    resources = tables.column("scopes", "parent")[scopes]
    of_resources, of_scopes = _resource_columns(tables, copies), _scope_columns(tables, copies)
    columns = {name: column.take(pa.array(resources)) for name, column in of_resources.items()}
    return columns | {name: column.take(pa.array(scopes)) for name, column in of_scopes.items()}


def _resource_columns(tables: Tables, copies: int) -> dict[str, Any]:
    rows = len(tables.rows["resources"])
    table = "resources.resource.attributes"
    return {
        **{column: _first_value(tables, table, key, rows) for key, column in SERVICE_COLUMNS.items()},
        **attribute_columns(tables, table, rows, copies).named("resource_attributes"),
        "resource_dropped_attributes_count": count_column(tables, "resources", "resource.dropped_attributes_count"),
        "resource_entity_refs": _entity_refs(tables, rows),
        "resource_schema_url": text_column(tables, "resources", "schema_url"),
    }


def _scope_columns(tables: Tables, copies: int) -> dict[str, Any]:
    rows = len(tables.rows["scopes"])
    scope = attribute_columns(tables, "scopes.scope.attributes", rows, copies)
    return {
        "scope_name": text_column(tables, "scopes", "scope.name"),
        "scope_version": text_column(tables, "scopes", "scope.version"),
        **scope.named("scope_attributes"),
        "scope_dropped_attributes_count": count_column(tables, "scopes", "scope.dropped_attributes_count"),
        "scope_schema_url": text_column(tables, "scopes", "schema_url"),
    }


def _first_value(tables: Tables, table: str, key: str, rows: int) -> Any:
    """The text of an attribute by row: the first value where the key is repeated, null where it is absent."""
    attributes = tables.rows[table]
    first = _first_rows(tables.data, attributes, np.frombuffer(key.encode(), np.uint8), rows)
    values = np.zeros((rows, attributes.shape[1]), np.int64)
    values[first >= 0] = attributes[first[first >= 0]]
    return value_text(tables, values)


def _entity_refs(tables: Tables, rows: int) -> Any:
    """Entity references by resource, as JSON in OTLP's own form."""
    found: dict[int, list[Any]] = {}
    slots = [tables.slot("entity_refs", name) for name in ("parent", "message", "message.length")]
    for parent, start, length in tables.rows["entity_refs"][:, slots].tolist():
        message = EntityRef.FromString(bytes(tables.data[start : start + length]))
        found.setdefault(parent, []).append(MessageToDict(message))
    texts = {row: json.dumps(refs, ensure_ascii=False, separators=(",", ":")) for row, refs in found.items()}
    return sparse_text(texts, rows)


@kernel(INTS(BYTES, ROWS, BYTES, nb.int64))
def _first_rows(data: Bytes, attributes: Ints, key: Bytes, rows: int) -> Ints:
    """For each parent its first attribute with the given key, -1 where it has none."""
    first = np.full(rows, -1, np.int64)
    for row in range(len(attributes)):
        parent = attributes[row, 0]
        if first[parent] < 0 and attributes[row, lo.KEY_LENGTH] == len(key):
            start = attributes[row, lo.KEY]
            for i in range(len(key)):
                if data[start + i] != key[i]:
                    break
            else:
                first[parent] = row
    return first
