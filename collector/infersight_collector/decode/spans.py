"""Spans of a walked request in the layout of the `spans` table."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa

from infersight_collector.decode.attributes import attribute_columns
from infersight_collector.decode.buffers import enum_array, int_array, list_array, saturate, time_array
from infersight_collector.decode.columns import count_column, id_column, text_column, time_column
from infersight_collector.decode.source import source_columns
from infersight_collector.decode.walk import Tables
from infersight_collector.decode.weights import sample_weights

KINDS: Final = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
STATUS_CODES: Final = ("UNSET", "OK", "ERROR")


def span_columns(tables: Tables) -> dict[str, Any]:
    """The columns of the `spans` table, one row a span in the order of the request."""
    rows = len(tables.rows["spans"])
    start, end = (tables.column("spans", f"{which}_time_unix_nano") for which in ("start", "end"))
    attributes = attribute_columns(tables, "spans.attributes", rows)
    trace_state = text_column(tables, "spans", "trace_state")
    return {
        "trace_id": id_column(tables, "spans", "trace_id"),
        "span_id": id_column(tables, "spans", "span_id"),
        "parent_span_id": id_column(tables, "spans", "parent_span_id"),
        "trace_state": trace_state,
        "flags": count_column(tables, "spans", "flags"),
        "name": text_column(tables, "spans", "name"),
        "kind": enum_array(tables.column("spans", "kind"), KINDS),
        "start_time_ns": time_array(start),
        "end_time_ns": time_array(end),
        "duration_ns": int_array(saturate(end) - saturate(start), (start != 0) & (end != 0)),
        "status_code": enum_array(tables.column("spans", "status.code"), STATUS_CODES),
        "status_message": text_column(tables, "spans", "status.message"),
        **source_columns(tables, tables.column("spans", "parent")),
        **attributes.named("attributes"),
        "dropped_attributes_count": count_column(tables, "spans", "dropped_attributes_count"),
        "dropped_events_count": count_column(tables, "spans", "dropped_events_count"),
        "dropped_links_count": count_column(tables, "spans", "dropped_links_count"),
        **_elements(tables, "events", _event_columns, rows),
        **_elements(tables, "links", _link_columns, rows),
        "sample_weight": sample_weights(rows, attributes, trace_state),
    }


def _event_columns(tables: Tables) -> dict[str, Any]:
    return {
        "time_ns": time_column(tables, "events", "time_unix_nano"),
        "name": text_column(tables, "events", "name"),
    }


def _link_columns(tables: Tables) -> dict[str, Any]:
    return {
        "trace_id": id_column(tables, "links", "trace_id"),
        "span_id": id_column(tables, "links", "span_id"),
        "trace_state": text_column(tables, "links", "trace_state"),
        "flags": count_column(tables, "links", "flags"),
    }


def _elements(tables: Tables, table: str, columns_of: Callable[[Tables], dict[str, Any]], spans: int) -> dict[str, Any]:
    """A list column of `events` or `links`, null where a span has none; no column when no span has any."""
    rows = len(tables.rows[table])
    if not rows:
        return {}
    columns = {
        **columns_of(tables),
        **attribute_columns(tables, f"{table}.attributes", rows).named("attributes"),
        "dropped_attributes_count": count_column(tables, table, "dropped_attributes_count"),
    }
    parents = tables.column(table, "parent")
    elements = pa.RecordBatch.from_pydict(columns).to_struct_array()
    return {table: list_array(parents, spans, elements, np.bincount(parents, minlength=spans) > 0)}
