"""OTLP/JSON to OTLP protobuf.

OTLP/JSON is protobuf's JSON mapping with two changes: trace and span ids are hex, and enumerations are numbers (names
are taken as well). See https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding.
"""

import base64
import binascii
import json
from typing import Any, Final, cast

from google.protobuf.json_format import ParseDict, ParseError

from infersight_collector.decode.layout import REQUESTS
from infersight_collector.errors import MalformedRequest
from infersight_collector.signals import Signal

_IDS: Final = ("traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id")


def request_from_json(signal: Signal, text: bytes) -> bytes:
    """Turn one OTLP/JSON request into protobuf.

    Args:
        signal: what the request carries.
        text: a JSON object in UTF-8; unknown fields are ignored.

    Raises:
        MalformedRequest: this is no such object.
    """
    return request_from_document(signal, parse_document(text))


def parse_document(text: bytes) -> dict[str, Any]:
    """Parse the JSON of a request, its ids turned to base64; raises `MalformedRequest`."""
    try:
        document = json.loads(text.decode(), object_hook=_with_base64_ids)
    except json.JSONDecodeError as error:
        raise MalformedRequest(f"not JSON: {error.msg}", len(error.doc[: error.pos].encode())) from None
    except UnicodeDecodeError as error:
        raise MalformedRequest("JSON is not UTF-8", error.start) from None
    except RecursionError:
        raise MalformedRequest("JSON is nested too deeply") from None
    except ValueError as error:  # a number with more digits than Python converts
        raise MalformedRequest(f"not JSON: {error}") from None
    if not isinstance(document, dict):
        raise MalformedRequest("a request is a JSON object")
    return cast("dict[str, Any]", document)


def request_from_document(signal: Signal, document: dict[str, Any]) -> bytes:
    """Turn a document of `parse_document` into protobuf; raises `MalformedRequest`."""
    message = REQUESTS[signal]()
    try:
        return bytes(ParseDict(document, message, ignore_unknown_fields=True).SerializeToString())
    except RecursionError:
        raise MalformedRequest("JSON is nested too deeply") from None
    # protobuf's parser lets errors of the types it meets through
    except (ParseError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise MalformedRequest(f"not OTLP/JSON: {' '.join(str(error).split())}") from None


def _with_base64_ids(document: dict[str, Any]) -> dict[str, Any]:
    for name in _IDS:
        value = document.get(name)
        if isinstance(value, str):
            try:
                document[name] = base64.b64encode(binascii.unhexlify(value)).decode()
            except ValueError:
                raise MalformedRequest(f"{name} is not hex: {value[:40]!r}") from None
    return document
