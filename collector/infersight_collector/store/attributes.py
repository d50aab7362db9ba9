"""Makes the attributes of new rows fit the table's catalogue of keys, losing nothing.

DuckDB, Spark and Delta want one type for a key in all files. The first type that a key is stored with is its type for
good. What cannot be a field of the STRUCT moves to the JSON text beside it (`attributes_other`): values of another
type than the key's, keys beyond the cap, and keys that no reader could name: empty ones, very long ones, ones with
control characters, and ones that differ from another key only in case (SQL engines do not tell these apart).
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

import base64
import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from infersight_collector.store.layout import ATTRIBUTE_COLUMNS, NESTED_ATTRIBUTES
from infersight_collector.store.schema import JSON_FIELD

MAX_KEYS: Final = 1_000
"""Most keys that one attribute column of a table may have."""

MAX_KEY_LENGTH: Final = 256
"""Longest key, in characters, that becomes a field."""

_JSON_TYPE: Final = b"infersight.type"


class _Catalogue:
    """The fields that one attribute column may have: the known ones, and new ones up to the cap."""

    def __init__(self, known: pa.DataType | None, cap: int) -> None:
        self._fields: dict[str, pa.Field] = {field.name.lower(): field for field in known or ()}
        self._cap = cap

    def admit(self, field: pa.Field) -> pa.Field | None:
        """The catalogue's field for this one, registering it when it is new; None where it must move out."""
        name = field.name
        if not name or len(name) > MAX_KEY_LENGTH or not name.isprintable():
            return None
        known = self._fields.get(name.lower())
        if known is None:
            if len(self._fields) >= self._cap:
                return None
            known = self._fields[name.lower()] = field
        same = known.name == name and known.type == field.type and is_json(known) == is_json(field)
        return known if same else None


def is_json(field: pa.Field) -> bool:
    """Whether a field of an attribute STRUCT holds JSON text, an OTLP array or map."""
    return bool((field.metadata or {}).get(_JSON_TYPE) == JSON_FIELD[_JSON_TYPE])


def conform(rows: pa.Table, table: str, known: pa.Schema, cap: int = MAX_KEYS, *, closed: bool = False) -> pa.Table:
    """Rows whose attribute STRUCTs hold only keys of the catalogue, or new ones, each with its one type.

    Args:
        rows: new rows in the layout of `schema`.
        table: name of the table they go to.
        known: the table's schema: its attribute columns are the catalogue.
        cap: most keys of one attribute column.
        closed: whether the rows' own attribute columns (not those of events and links) take no new key.

    Returns:
        the same rows; what did not fit is in the `*_other` columns.
    """
    catalogues = {
        column: _Catalogue(_type_of(known, column), 0 if closed else cap)
        for column in ATTRIBUTE_COLUMNS[table]
        if column in rows.column_names
    }
    nested = {
        column: _Catalogue(_nested_type(known, column), cap)
        for column in NESTED_ATTRIBUTES.get(table, ())
        if column in rows.column_names
    }
    if not rows.num_rows or not (catalogues or nested):
        return rows
    batches: list[pa.Table] = []
    for batch in rows.to_batches():
        conformed = _conform_columns(batch, catalogues)
        for column, catalogue in nested.items():
            lists = _conform_elements(conformed.column(column), catalogue)
            conformed = _replace(conformed, column, lists)
        batches.append(pa.Table.from_batches([conformed]))
    return pa.concat_tables(batches, promote_options="permissive")


def unify(parts: Sequence[pa.Table], table: str, max_cells: int) -> pa.Table:
    """Rows decoded apart as one table: where they disagree about a key's type, the first type is the key's.

    Args:
        parts: rows in the layout of `schema`, at least one table.
        table: name of the table they go to.
        max_cells: most values, nulls too, of its attribute columns together; rarer keys go to their `*_other`.
    """
    if len(parts) == 1:
        return parts[0]
    known = _most_frequent(parts, table, max_cells // max(1, sum(part.num_rows for part in parts)))
    if known is not None:
        parts = [conform(part, table, known, closed=True) for part in parts]
    known = parts[0].schema
    conformed = [parts[0]]
    for part in parts[1:]:
        conformed.append(conform(part, table, known))
        known = pa.unify_schemas([known, conformed[-1].schema], promote_options="permissive")
    return pa.concat_tables(conformed, promote_options="permissive")


def _most_frequent(parts: Sequence[pa.Table], table: str, cap: int) -> pa.Schema | None:
    """The attribute columns with those keys that most rows have, where there are more than `cap`; None where not."""
    rows: Counter[tuple[str, str]] = Counter()
    fields: dict[tuple[str, str], pa.Field] = {}
    for column in ATTRIBUTE_COLUMNS[table]:
        for struct in (part.column(column) for part in parts if column in part.column_names):
            for field, values in zip(struct.type, struct.flatten(), strict=True):
                rows[column, field.name] += len(values) - values.null_count
                fields.setdefault((column, field.name), field)
    if len(rows) <= cap:
        return None
    kept = [place for place, _ in rows.most_common(cap)]
    structs = {column: pa.struct([fields[place] for place in kept if place[0] == column]) for column, _ in rows}
    return pa.schema([pa.field(column, struct) for column, struct in structs.items()])


def _conform_columns(batch: pa.RecordBatch, catalogues: Mapping[str, _Catalogue]) -> pa.RecordBatch:
    for column, catalogue in catalogues.items():
        struct, moved = _split(batch.column(column), catalogue)
        if moved:
            other = f"{column}_other"
            present = other in batch.schema.names
            texts = batch.column(other) if present else pa.nulls(batch.num_rows, pa.string())
            batch = _replace(batch, other, _with_members(texts, moved))
        batch = _replace(batch, column, struct)
    return batch


def _conform_elements(lists: pa.ListArray, catalogue: _Catalogue) -> pa.ListArray:
    """The same for the `attributes` of the elements of a list column (events and links)."""
    elements = pa.RecordBatch.from_struct_array(lists.flatten())
    if "attributes" not in elements.schema.names:
        return lists
    elements = _conform_columns(elements, {"attributes": catalogue})
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), elements.to_struct_array(), mask=lists.is_null())


def _split(attributes: pa.StructArray, catalogue: _Catalogue) -> tuple[pa.StructArray | None, dict[int, list[str]]]:
    """The values that fit as a STRUCT (None where none does), and JSON members of the others by row."""
    arrays: list[Any] = []
    fields: list[pa.Field] = []
    moved: defaultdict[int, list[str]] = defaultdict(list)
    for field, values in zip(attributes.type, attributes.flatten(), strict=True):
        if values.null_count == len(values):
            continue
        admitted = catalogue.admit(field)
        if admitted is not None:
            arrays.append(values)
            fields.append(admitted)
            continue
        rows = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False))
        for row, member in zip(rows.tolist(), _members(field, values.drop_null()), strict=True):
            moved[row].append(member)
    struct = pa.StructArray.from_arrays(arrays, fields=fields, mask=attributes.is_null()) if arrays else None
    return struct, moved


def _members(field: pa.Field, values: pa.Array) -> Iterable[str]:
    """Each value as the member of a JSON object: `"key":value`, by the conventions of `schema`."""
    key = json.dumps(field.name, ensure_ascii=False)
    encode: Callable[[Any], str] = str if is_json(field) else _json_value
    return (f"{key}:{encode(value)}" for value in values.to_pylist())


def _json_value(value: Any) -> str:
    if isinstance(value, bytes):
        value = {"bytesValue": base64.b64encode(value).decode()}
    elif isinstance(value, float) and not math.isfinite(value):
        value = {"doubleValue": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _with_members(texts: pa.StringArray, members: Mapping[int, list[str]]) -> pa.StringArray:
    """JSON objects in text with members added in front: they are the first occurrences of a repeated key.

    The text may have such a key as well. It then occurs twice in the object, as it did in the record.
    """
    rows = sorted(members)
    changed: list[str] = []
    for row, text in zip(rows, texts.take(pa.array(rows)).to_pylist(), strict=True):
        inner = text.strip()[1:-1].strip() if text else ""
        changed.append("{" + ",".join([*members[row], *([inner] if inner else [])]) + "}")
    mask = np.zeros(len(texts), dtype=bool)
    mask[rows] = True
    return pc.replace_with_mask(texts, pa.array(mask), pa.array(changed, pa.string()))


def _replace(batch: pa.RecordBatch, column: str, values: pa.Array | None) -> pa.RecordBatch:
    """The batch with a column replaced, added, or dropped where `values` is None."""
    names = batch.schema.names
    columns = dict(zip(names, batch.columns, strict=True))
    if values is None:
        del columns[column]
    else:
        columns[column] = values
    fields = [
        pa.field(name, array.type) if name == column or name not in names else batch.schema.field(name)
        for name, array in columns.items()
    ]
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=pa.schema(fields))


def _type_of(known: pa.Schema, column: str) -> pa.DataType | None:
    return known.field(column).type if column in known.names else None


def _nested_type(known: pa.Schema, column: str) -> pa.DataType | None:
    lists = _type_of(known, column)
    if lists is None or lists.value_type.get_field_index("attributes") < 0:
        return None
    return lists.value_type.field("attributes").type
