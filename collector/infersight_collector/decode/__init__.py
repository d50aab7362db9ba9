"""OTLP requests to Arrow tables: `check` before a request is acknowledged, `decode` when it is stored."""

import pyarrow as pa

from infersight_collector.errors import MalformedRequest
from infersight_collector.signals import Signal

__all__ = ["MalformedRequest", "check", "decode"]


def check(signal: Signal, request: bytes) -> int:
    """Validate one protobuf request completely, as google.protobuf would.

    Args:
        signal: what the request carries.
        request: an Export*ServiceRequest; several concatenated are one valid request.

    Returns:
        The number of spans, log records or data points in it.

    Raises:
        MalformedRequest: google.protobuf would refuse these bytes.
    """
    raise NotImplementedError


def decode(signal: Signal, request: bytes) -> dict[str, pa.Table]:
    """Turn one protobuf request into the rows of its tables.

    Args:
        signal: what the request carries.
        request: an Export*ServiceRequest; several concatenated are one valid request.

    Returns:
        The tables of `signals.TABLES[signal]`, each in the layout of `store.schema`, without partition columns.
        Attribute columns, and `events` and `links`, are there only when something is in them.

    Raises:
        MalformedRequest: google.protobuf would refuse these bytes.
    """
    raise NotImplementedError
