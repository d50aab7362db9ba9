"""Arrow tables back to OTLP requests: the inverse of `decode`, for exporters that send on what processors have made.

What comes out says everything that the tables say. Rows of equal resource and scope stand together, so that rows may
come in another order than they had. Attributes of one key that a record has several times, which OTLP does not allow,
come as the first one and an array of the others, as the tables have them.
"""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pyarrow as pa

from infersight_collector.encode.fields import message, written
from infersight_collector.encode.grouping import requests
from infersight_collector.encode.logs import log_fields
from infersight_collector.encode.metrics import metric_level, point_records
from infersight_collector.encode.source import source_levels
from infersight_collector.encode.spans import span_fields
from infersight_collector.signals import TABLES, Signal

__all__ = ["MAX_BYTES", "encode"]

MAX_BYTES: Final = 4 * 2**20
"""Size of a request: what gRPC servers take when nothing else is configured."""


def encode(signal: Signal, tables: Mapping[str, pa.Table], max_bytes: int = MAX_BYTES) -> Iterator[bytes]:
    """Turn the rows of one signal's tables into requests.

    Args:
        signal: whose tables.
        tables: rows by table name, in the layout of `store.layout`; of these, those of `signals.TABLES[signal]`.
        max_bytes: most bytes of a request; a single record that is larger goes alone.

    Yields:
        Export*ServiceRequests, protobuf.

    Raises:
        ValueError: the rows have a type or a name that OTLP does not know.
    """
    records_table = TABLES[signal][0]
    if not tables[records_table].num_rows:
        return
    columns = _columns(tables[records_table])
    levels = source_levels(columns)
    match signal:
        case Signal.TRACES:
            records = written(message(2, span_fields(columns)))
        case Signal.LOGS:
            records = written(message(2, log_fields(columns)))
        case Signal.METRICS:
            exemplars = tables.get("exemplars")
            own = None if exemplars is None or not exemplars.num_rows else _columns(exemplars)
            records, levels = point_records(columns, own), [metric_level(columns), *levels]
    yield from requests(records, levels, max_bytes)


def _columns(table: pa.Table) -> dict[str, Any]:
    """The columns of a table, each as one array."""
    return {
        name: column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
        for name, column in zip(table.column_names, table.columns, strict=True)
    }
