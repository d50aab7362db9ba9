"""Columns of a walked request's tables in Arrow, by name."""

from typing import Any

from infersight_collector.decode import buffers
from infersight_collector.decode.walk import Tables


def text_column(tables: Tables, table: str, name: str) -> Any:
    """A text field; null where it is empty."""
    return buffers.optional_text(tables.data, tables.column(table, name), tables.column(table, f"{name}.length"))


def id_column(tables: Tables, table: str, name: str) -> Any:
    """A trace or span id in hex; null where it is absent."""
    return buffers.hex_array(tables.data, tables.column(table, name), tables.column(table, f"{name}.length"))


def count_column(tables: Tables, table: str, name: str) -> Any:
    """An integer field; null where it is zero, which protobuf does not tell from absent."""
    return buffers.optional_int(tables.column(table, name))


def time_column(tables: Tables, table: str, name: str) -> Any:
    """A time field; null where it is zero, which OTLP says is unknown."""
    return buffers.time_array(tables.column(table, name))
