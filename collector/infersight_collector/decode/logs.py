"""Log records of a walked request in the layout of the `logs` table."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from typing import Any

import numpy as np
import pyarrow as pa

from infersight_collector.decode import layout as lo
from infersight_collector.decode.attributes import attribute_columns
from infersight_collector.decode.buffers import enum_array, time_array
from infersight_collector.decode.columns import count_column, id_column, text_column
from infersight_collector.decode.kernels import Ints
from infersight_collector.decode.source import source_columns
from infersight_collector.decode.values import NAMES, value_text
from infersight_collector.decode.walk import Tables
from infersight_collector.decode.weights import sample_weights


def log_columns(tables: Tables) -> dict[str, Any]:
    """The columns of the `logs` table, one row a log record in the order of the request."""
    table = "log_records"
    rows = len(tables.rows[table])
    time, observed = (tables.column(table, name) for name in ("time_unix_nano", "observed_time_unix_nano"))
    bodies = np.zeros((rows, lo.VALUE_LENGTH + 1), np.int64)
    for slot, name in ((lo.CASE, "body.case"), (lo.VALUE, "body"), (lo.VALUE_LENGTH, "body.length")):
        bodies[:, slot] = tables.column(table, name)
    attributes = attribute_columns(tables, f"{table}.attributes", rows)
    return {
        "time_ns": time_array(np.where(time != 0, time, observed)),
        "observed_time_ns": time_array(observed),
        "trace_id": id_column(tables, table, "trace_id"),
        "span_id": id_column(tables, table, "span_id"),
        "flags": count_column(tables, table, "flags"),
        "severity_number": count_column(tables, table, "severity_number").cast(pa.int32()),
        "severity_text": text_column(tables, table, "severity_text"),
        "body": value_text(tables, bodies),
        "body_type": _type_names(bodies[:, lo.CASE]),
        "event_name": text_column(tables, table, "event_name"),
        **source_columns(tables, tables.column(table, "parent")),
        **attributes.named("attributes"),
        "dropped_attributes_count": count_column(tables, table, "dropped_attributes_count"),
        "sample_weight": sample_weights(rows, attributes),
    }


def _type_names(cases: Ints) -> Any:
    return enum_array(cases, NAMES, (cases > 0) & (cases < len(NAMES)))
