"""Bodies of HTTP requests: unpacked within limits."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# pyarrow publishes no types.

import zlib
from collections.abc import Callable
from functools import partial
from typing import Final

import pyarrow as pa

from infersight_collector.errors import MalformedRequest, TooLarge

_ZLIB_HEADER: Final = 8  # compression method in the low half of the first byte, RFC 1950

_PIECE: Final = 256 * 1024
"""Bytes that are unpacked at a time: a body that unpacks to too much is given up after so many too many."""


def unpack(encoding: str, body: bytes, limit: int) -> bytes:
    """The content of a body.

    Args:
        encoding: its Content-Encoding, one of `ENCODINGS`.
        body: as received.
        limit: most bytes that it may unpack to.

    Raises:
        MalformedRequest: it is damaged.
        TooLarge: it unpacks to more than the limit.
    """
    return ENCODINGS[encoding](body, limit)


def _identity(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise TooLarge(limit)
    return body


def _stream(codec: str, body: bytes, limit: int) -> bytes:
    """All members of a gzip body (RFC 1952) or frames of a zstd one (RFC 8878): several are one content."""
    pieces: list[bytes] = []
    size = 0
    try:
        with pa.CompressedInputStream(pa.BufferReader(body), codec) as stream:
            while piece := stream.read(_PIECE):
                size += len(piece)
                if size > limit:
                    raise TooLarge(limit)
                pieces.append(piece)
    except OSError as error:
        raise MalformedRequest(f"the body cannot be unpacked: {error}") from error
    return b"".join(pieces)


def _deflate(body: bytes, limit: int) -> bytes:
    """Zlib data (RFC 1950), or the bare deflate stream that some senders mean by this name."""
    wrapped = len(body) > 1 and body[0] & 15 == _ZLIB_HEADER and (body[0] << 8 | body[1]) % 31 == 0
    stream = zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
    try:
        content = stream.decompress(body, limit + 1)
    except zlib.error as error:
        raise MalformedRequest(f"the body cannot be unpacked: {error}") from error
    if len(content) > limit:
        raise TooLarge(limit)
    if not stream.eof:
        raise MalformedRequest("the compressed body is cut off", len(body))
    if stream.unused_data:
        raise MalformedRequest("data behind the end of the deflate stream", len(body) - len(stream.unused_data))
    return content


ENCODINGS: Final[dict[str, Callable[[bytes, int], bytes]]] = {
    "": _identity,
    "identity": _identity,
    "gzip": partial(_stream, "gzip"),
    "zstd": partial(_stream, "zstd"),
    "deflate": _deflate,
}
"""The content encodings that are understood."""
