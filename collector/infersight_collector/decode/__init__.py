"""OTLP requests to Arrow tables: `check` before a request is acknowledged, `decode` when it is stored."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import pyarrow as pa

from infersight_collector.decode.attributes import MAX_CELLS
from infersight_collector.decode.expansion import rows_bytes, walk_bytes
from infersight_collector.decode.files import read_requests
from infersight_collector.decode.json import request_from_json
from infersight_collector.decode.logs import log_columns
from infersight_collector.decode.metrics import metric_tables
from infersight_collector.decode.spans import span_columns
from infersight_collector.decode.walk import RECORDS, count, walk
from infersight_collector.errors import MalformedRequest, UnreadableFile
from infersight_collector.signals import Request, Signal
from infersight_collector.store.attributes import unify
from infersight_collector.store.schema import COLUMNS

__all__ = [
    "Examined",
    "MalformedRequest",
    "UnreadableFile",
    "check",
    "decode",
    "decode_all",
    "examine",
    "read_requests",
    "request_from_json",
]

PIECE_BYTES: Final = 6 * 2**20
"""Requests that are decoded at once: so many that the fixed cost of a decode is nothing, so few that what the walk
writes, twice the requests' size, stays in the processor's caches."""


def check(signal: Signal, request: Request) -> int:
    """Validate one protobuf request completely, as google.protobuf would.

    Args:
        signal: what the request carries.
        request: an Export*ServiceRequest; several concatenated are one valid request.

    Returns:
        The number of spans, log records or data points in it.

    Raises:
        MalformedRequest: google.protobuf would refuse these bytes.
    """
    return examine(signal, request).records


class Examined(NamedTuple):
    """What is told of a request before it is acknowledged.

    Attributes:
        records: spans, log records or data points in it.
        rows_bytes: about the memory that its rows take.
        walk_bytes: about the memory that decoding it takes beside them.
    """

    records: int
    rows_bytes: int
    walk_bytes: int

    @property
    def memory(self) -> int:
        """Both together."""
        return self.rows_bytes + self.walk_bytes


def examine(signal: Signal, request: Request) -> Examined:
    """Validate one protobuf request as `check` does, and tell how large it becomes.

    Raises:
        MalformedRequest: google.protobuf would refuse these bytes.
    """
    counts = count(signal, request)
    return Examined(counts[RECORDS[signal]], rows_bytes(signal, request, counts), walk_bytes(signal, counts))


def decode(signal: Signal, request: Request) -> dict[str, pa.Table]:
    """Turn one protobuf request into the rows of its tables.

    Args:
        signal: what the request carries.
        request: an Export*ServiceRequest; several concatenated are one valid request.

    Returns:
        The tables of `signals.TABLES[signal]`, each in the layout of `store.layout`, without partition columns.
        Attribute columns, and `events` and `links`, are there only when something is in them.

    Raises:
        MalformedRequest: google.protobuf would refuse these bytes.
    """
    tables = walk(signal, request)
    match signal:
        case Signal.TRACES:
            return {"spans": _table("spans", span_columns(tables))}
        case Signal.LOGS:
            return {"logs": _table("logs", log_columns(tables))}
        case Signal.METRICS:
            return {name: _table(name, columns) for name, columns in metric_tables(tables).items()}


def decode_all(signal: Signal, requests: Iterable[Request]) -> dict[str, pa.Table]:
    """The rows of many requests, as `decode` gives those of one; the rows are in their order.

    Raises:
        MalformedRequest: google.protobuf would refuse one of them.
    """
    pieces = [decode(signal, piece) for piece in _pieces(requests)] or [decode(signal, b"")]
    return {name: unify([piece[name] for piece in pieces], name, 2 * MAX_CELLS) for name in pieces[0]}


def _pieces(requests: Iterable[Request]) -> Iterator[Request]:
    """Requests that come together, as one."""
    waiting: list[Request] = []
    size = 0
    for request in requests:
        waiting.append(request)
        size += len(request)
        if size >= PIECE_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


def _table(name: str, columns: dict[str, Any]) -> pa.Table:
    """The columns as a table, in the order of the schema, attribute columns after those of fixed type."""
    fixed = COLUMNS[name]
    fields = [*fixed, *(pa.field(key, column.type) for key, column in columns.items() if key not in fixed.names)]
    return pa.Table.from_arrays([columns[field.name] for field in fields], schema=pa.schema(fields))
