"""Bodies of HTTP requests: unpacked within limits."""

import zlib
from collections.abc import Callable
from typing import Final

from infersight_collector.errors import MalformedRequest, TooLarge

_GZIP: Final = 16 + zlib.MAX_WBITS
_ZLIB_HEADER: Final = 8  # compression method in the low half of the first byte, RFC 1950


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


def _gzip(body: bytes, limit: int) -> bytes:
    """All members of a gzip body (RFC 1952 allows several, one after the other)."""
    members: list[bytes] = []
    rest = body
    while rest:
        content, rest = _inflate(rest, _GZIP, limit)
        limit -= len(content)
        members.append(content)
    return b"".join(members)


def _deflate(body: bytes, limit: int) -> bytes:
    """Zlib data (RFC 1950), or the bare deflate stream that some senders mean by this name."""
    wrapped = len(body) > 1 and body[0] & 15 == _ZLIB_HEADER and (body[0] << 8 | body[1]) % 31 == 0
    content, rest = _inflate(body, zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS, limit)
    if rest:
        raise MalformedRequest("data behind the end of the deflate stream", len(body) - len(rest))
    return content


def _inflate(body: bytes, window_bits: int, limit: int) -> tuple[bytes, bytes]:
    """One compressed stream and what follows it."""
    stream = zlib.decompressobj(window_bits)
    try:
        content = stream.decompress(body, limit + 1)
    except zlib.error as error:
        raise MalformedRequest(f"the body cannot be unpacked: {error}") from error
    if len(content) > limit:
        raise TooLarge(limit)
    if not stream.eof:
        raise MalformedRequest("the compressed body is cut off", len(body))
    return content, stream.unused_data


ENCODINGS: Final[dict[str, Callable[[bytes, int], bytes]]] = {
    "": _identity,
    "identity": _identity,
    "gzip": _gzip,
    "deflate": _deflate,
}
"""The content encodings that are understood."""
