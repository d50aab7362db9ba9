"""The weights of records as attributes, where what else a record says would give another: see `decode.weights`."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow.compute makes its functions when it is imported.

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from infersight_collector.decode.attributes import AttributeColumns
from infersight_collector.decode.weights import WEIGHT, sample_weights
from infersight_collector.encode.attributes import struct_fields
from infersight_collector.encode.grouping import Columns, rows_of


def with_weights(columns: Columns) -> Columns:
    """The columns of records, with an attribute for each weight that a processor has set or changed."""
    weights = columns["sample_weight"]
    struct = columns.get("attributes")
    said = sample_weights(rows_of(columns), AttributeColumns(struct, None), columns.get("trace_state"))
    changed = pc.not_equal(weights, said).fill_null(False)
    if not pc.any(changed).as_py():
        return columns
    fields = {field.name: (field, values) for field, values in struct_fields(struct)}
    before = fields[WEIGHT][1] if WEIGHT in fields else None
    kept = _numbers(before) if before is not None else pa.scalar(None, pa.float64())
    fields[WEIGHT] = pa.field(WEIGHT, pa.float64()), pc.if_else(changed, weights, kept)
    arrays = [values for _, values in fields.values()]
    return {**columns, "attributes": pa.StructArray.from_arrays(arrays, fields=[field for field, _ in fields.values()])}


def _numbers(values: Any) -> Any:
    """Doubles, for all weights have to be of one type; what was no number said nothing."""
    is_number = pa.types.is_integer(values.type) or pa.types.is_floating(values.type)
    return values.cast(pa.float64(), safe=False) if is_number else pa.nulls(len(values), pa.float64())
