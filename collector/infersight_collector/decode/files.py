"""Files of OTLP requests: how they are framed and which signal they carry is found from their content.

A file is JSON (one request a line, or one request in all), protobuf requests that each follow their length (four
bytes, big-endian, or a varint), or one bare protobuf request; any of these also as gzip.
"""

import gzip
import itertools
import re
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias

import numpy as np
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from infersight_collector.decode.json import parse_document, request_from_document
from infersight_collector.decode.kernels import Bytes
from infersight_collector.decode.walk import MAX_REQUEST, count_records
from infersight_collector.decode.wire import FIXED32, FIXED64, LENGTH, VARINT, fields_of
from infersight_collector.errors import MalformedRequest, UnreadableFile
from infersight_collector.signals import Signal

Frame: TypeAlias = tuple[int, bytes]
"""Where a request starts in the decompressed content, and its bytes."""

Framing: TypeAlias = Callable[[BinaryIO], Iterator[Frame]]

_GZIP_MAGIC: Final = b"\x1f\x8b"

_FIRST_TAG: Final = b"\n"
"""Field 1, length-delimited: the only field of every request."""

_RECORDS: Final[dict[Signal, type[Message]]] = {Signal.TRACES: Span, Signal.LOGS: LogRecord, Signal.METRICS: Metric}

_DOCUMENT_KEYS: Final = {
    Signal.TRACES: ("resourceSpans", "resource_spans"),
    Signal.LOGS: ("resourceLogs", "resource_logs"),
    Signal.METRICS: ("resourceMetrics", "resource_metrics"),
}

_NAME_HINTS: Final = {Signal.TRACES: ("trace", "span"), Signal.LOGS: ("log",), Signal.METRICS: ("metric",)}

_WIRE_TYPES: Final = {
    FieldDescriptor.TYPE_DOUBLE: FIXED64,
    FieldDescriptor.TYPE_FIXED64: FIXED64,
    FieldDescriptor.TYPE_FIXED32: FIXED32,
    FieldDescriptor.TYPE_STRING: LENGTH,
    FieldDescriptor.TYPE_BYTES: LENGTH,
    FieldDescriptor.TYPE_MESSAGE: LENGTH,
}
"""Wire types of the fields of records; all other types are varints."""


def read_requests(path: Path, signal: Signal | None = None) -> Iterator[tuple[Signal, bytes]]:
    """Read a file's requests one by one, each validated.

    Args:
        path: the file.
        signal: the signal of a protobuf file's requests; found from the content when not given.

    Yields:
        The signal of each request, and the request as protobuf.

    Raises:
        UnreadableFile: the file is damaged, or no OTLP; the requests before the damage have been yielded.
        OSError: the file cannot be read.
    """
    with _opened(path) as content:
        framing = _detect_framing(content)
    with _opened(path) as content:
        for offset, frame in framing(content):
            try:
                if framing is _json_documents:
                    yield from requests_of_document(frame)
                else:
                    found = signal or signal_of_request(frame, path)
                    count_records(found, frame)
                    yield found, frame
            except MalformedRequest as error:
                raise UnreadableFile(path, offset + error.offset, error.reason) from None


@contextmanager
def _opened(path: Path) -> Generator[BinaryIO]:
    """The decompressed content; damage found while reading it comes out as `UnreadableFile`."""
    with path.open("rb") as raw:
        is_gzip = raw.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        raw.seek(0)
        content: Any = gzip.GzipFile(fileobj=raw) if is_gzip else raw
        try:
            yield content
        except MalformedRequest as error:
            raise UnreadableFile(path, error.offset, error.reason) from None
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise UnreadableFile(path, content.tell(), "the gzip stream is damaged or cut off") from None


def _detect_framing(content: BinaryIO) -> Framing:
    head = content.read(64)
    if re.match(rb'\s*\{\s*["}]', head):
        return _json_documents
    if head[:1] == b"\0":  # a length below 16 MiB; no protobuf message starts so
        return _after_words
    for framing in (_after_words, _after_varints):
        content.seek(0)
        try:
            frame = next(framing(content))[1]
            if frame.startswith(_FIRST_TAG) and any(_is_valid(signal, frame) for signal in Signal):
                return framing
        except (MalformedRequest, StopIteration):
            continue
    return _whole


def _json_documents(content: BinaryIO) -> Iterator[Frame]:
    """Each line, or the whole content where the first line is no document of its own."""
    first = content.readline()
    try:
        parse_document(first)
    except MalformedRequest:
        rest = content.read()
        yield 0, first + rest
        return
    offset = 0
    for line in itertools.chain([first], content):
        if line.strip():
            yield offset, line
        offset += len(line)


def _after_words(content: BinaryIO) -> Iterator[Frame]:
    """Requests that each follow their length in four bytes, big-endian."""
    offset = 0
    while prefix := content.read(4):
        if len(prefix) < 4:
            raise MalformedRequest("the file is cut off", offset)
        length = int.from_bytes(prefix, "big")
        yield offset + 4, _read_frame(content, length, offset)
        offset += 4 + length


def _after_varints(content: BinaryIO) -> Iterator[Frame]:
    """Requests that each follow their length as a varint."""
    offset = 0
    while byte := content.read(1):
        length, size = byte[0] & 0x7F, 1
        while byte and byte[0] & 0x80 and size < 5:
            byte = content.read(1)
            length |= (byte[0] & 0x7F) << (7 * size) if byte else 0
            size += 1
        if not byte or byte[0] & 0x80:
            raise MalformedRequest("the file is cut off or a length is corrupt", offset)
        yield offset + size, _read_frame(content, length, offset)
        offset += size + length


def _read_frame(content: BinaryIO, length: int, offset: int) -> bytes:
    if length > MAX_REQUEST:
        raise MalformedRequest("the length of a request is corrupt", offset)
    frame = content.read(length)
    if len(frame) < length:
        raise MalformedRequest(f"the file is cut off in a request of {length} bytes", offset)
    return frame


def _whole(content: BinaryIO) -> Iterator[Frame]:
    """One bare request."""
    if frame := content.read():
        yield 0, frame


def requests_of_document(frame: bytes) -> Iterator[tuple[Signal, bytes]]:
    """The requests in one JSON document, as protobuf with their signals; raises `MalformedRequest`."""
    document = parse_document(frame)
    found = [signal for signal, keys in _DOCUMENT_KEYS.items() if any(key in document for key in keys)]
    if document and not found:
        raise MalformedRequest("no resourceSpans, resourceLogs or resourceMetrics in a JSON object")
    for signal in found:
        yield signal, request_from_document(signal, document)


def signal_of_request(request: bytes, path: Path) -> Signal:
    """The signal whose records' fields have the wire types of the request's first record; the path's name may help."""
    record = np.frombuffer(request, np.uint8)
    for number in (1, 2, 2):  # resource, scope, record
        inner = [
            record[start:end] for found, wire, start, end in fields_of(record) if (found, wire) == (number, LENGTH)
        ]
        record = inner[0] if inner else record[:0]
    misfits = {signal: _count_misfits(record, _RECORDS[signal]) for signal in Signal}
    fitting = [signal for signal in Signal if misfits[signal] == min(misfits.values())]
    valid = [signal for signal in fitting if _is_valid(signal, request)] or fitting
    hinted = [signal for signal in valid if any(hint in path.name.lower() for hint in _NAME_HINTS[signal])]
    return (hinted or valid)[0]


def _count_misfits(record: Bytes, message: type[Message]) -> int:
    """How many fields of the record the message has not, or has with another wire type."""
    known = {field.number: _WIRE_TYPES.get(field.type, VARINT) for field in message.DESCRIPTOR.fields}
    return sum(known.get(number) != wire for number, wire, _, _ in fields_of(record).tolist())


def _is_valid(signal: Signal, request: bytes) -> bool:
    try:
        count_records(signal, request)
    except MalformedRequest:
        return False
    return True
