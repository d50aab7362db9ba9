"""The `spans` table back to span messages: the inverse of `decode.spans`."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from collections.abc import Callable
from typing import Any

from infersight_collector.decode.spans import KINDS, STATUS_CODES
from infersight_collector.encode.attributes import attribute_fields
from infersight_collector.encode.enums import enum_numbers
from infersight_collector.encode.fields import (
    Column,
    concatenate,
    fixed32,
    fixed64,
    group,
    hex_id,
    list_parts,
    message,
    nothing,
    text,
    varint,
)
from infersight_collector.encode.grouping import Columns, rows_of
from infersight_collector.encode.weights import with_weights


def span_fields(columns: Columns) -> Column:
    """The fields of `opentelemetry.proto.trace.v1.Span` of each row."""
    columns = with_weights(columns)
    status = concatenate(
        [text(2, columns["status_message"]), varint(3, enum_numbers(columns["status_code"], STATUS_CODES))]
    )
    return concatenate(
        [
            hex_id(1, columns["trace_id"]),
            hex_id(2, columns["span_id"]),
            text(3, columns["trace_state"]),
            hex_id(4, columns["parent_span_id"]),
            text(5, columns["name"]),
            varint(6, enum_numbers(columns["kind"], KINDS)),
            fixed64(7, columns["start_time_ns"]),
            fixed64(8, columns["end_time_ns"]),
            attribute_fields(9, columns, "attributes", rows_of(columns)),
            varint(10, columns["dropped_attributes_count"]),
            _elements(11, columns, "events", _event_fields),
            varint(12, columns["dropped_events_count"]),
            _elements(13, columns, "links", _link_fields),
            varint(14, columns["dropped_links_count"]),
            message(15, status, keep_empty=False),
            fixed32(16, columns["flags"]),
        ]
    )


def _event_fields(columns: Columns) -> Column:
    return concatenate(
        [
            fixed64(1, columns["time_ns"]),
            text(2, columns["name"]),
            attribute_fields(3, columns, "attributes", rows_of(columns)),
            varint(4, columns["dropped_attributes_count"]),
        ]
    )


def _link_fields(columns: Columns) -> Column:
    return concatenate(
        [
            hex_id(1, columns["trace_id"]),
            hex_id(2, columns["span_id"]),
            text(3, columns["trace_state"]),
            attribute_fields(4, columns, "attributes", rows_of(columns)),
            varint(5, columns["dropped_attributes_count"]),
            fixed32(6, columns["flags"]),
        ]
    )


def _elements(number: int, columns: Columns, name: str, fields_of: Callable[[Columns], Column]) -> Column:
    """The events or links of each span."""
    lists: Any = columns.get(name)
    if lists is None:
        return nothing(rows_of(columns))
    bounds, elements = list_parts(lists)
    parts = dict(zip((field.name for field in elements.type), elements.flatten(), strict=True))
    return group(message(number, fields_of(parts)), bounds)
