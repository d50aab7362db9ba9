"""OTLP protobuf to OTLP/JSON: the inverse of `decode.json`.

See https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding.
"""

import base64
import json
from typing import Any, Final, cast

from google.protobuf.json_format import MessageToDict

from infersight_collector.decode.layout import REQUESTS
from infersight_collector.signals import Signal

_IDS: Final = ("traceId", "spanId", "parentSpanId")


def json_line(signal: Signal, request: bytes) -> bytes:
    """A request as one line of JSON, line end included.

    Args:
        signal: what the request carries.
        request: an Export*ServiceRequest, protobuf.
    """
    document = MessageToDict(REQUESTS[signal].FromString(request), use_integers_for_enums=True)
    return json.dumps(_with_hex_ids(document), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _with_hex_ids(value: Any) -> Any:
    """The same, its ids turned from base64 to hex."""
    if isinstance(value, list):
        items = cast("list[Any]", value)  # type: ignore[redundant-cast]  # for pyright
        return [_with_hex_ids(item) for item in items]
    if not isinstance(value, dict):
        return value
    members = cast("dict[str, Any]", value)
    return {
        name: base64.b64decode(member).hex() if name in _IDS else _with_hex_ids(member)
        for name, member in members.items()
    }
