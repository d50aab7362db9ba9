"""The requests in a file that is still being written: cut out of what is there, the rest waits for more bytes.

`decode.files` reads files that are complete; here a chunk may end anywhere.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from infersight_collector.decode import check
from infersight_collector.decode.files import requests_of_document, signal_of_request
from infersight_collector.errors import MalformedRequest
from infersight_collector.signals import Signal

MAX_FRAME: Final = 64 * 2**20
"""Longest line or request, in bytes. A longer line is skipped; after a longer length nothing can be found."""

HEAD: Final = 64
"""Bytes at the beginning of a file that tell its form."""


class Frame(NamedTuple):
    """One line or one length-delimited request.

    Attributes:
        content: its bytes, without newline or length.
        start: where it begins in the chunk, with its length.
        end: where the next one begins.
    """

    content: bytes
    start: int
    end: int


Split: TypeAlias = Callable[[bytes], Iterator[Frame]]
"""The whole frames of a chunk that begins with one; raises MalformedRequest where a length cannot be true."""


def split_lines(chunk: bytes) -> Iterator[Frame]:
    """Lines, as in OTLP JSON files."""
    start = 0
    while (newline := chunk.find(b"\n", start)) >= 0:
        yield Frame(chunk[start:newline], start, newline + 1)
        start = newline + 1


def split_words(chunk: bytes) -> Iterator[Frame]:
    """Requests after their length in four bytes, big-endian."""
    start = 0
    while len(chunk) >= start + 4:
        begin = start + 4
        end = begin + _checked(int.from_bytes(chunk[start:begin], "big"), start)
        if end > len(chunk):
            return
        yield Frame(chunk[begin:end], start, end)
        start = end


def split_varints(chunk: bytes) -> Iterator[Frame]:
    """Requests after their length as a varint."""
    start = 0
    while prefix := re.compile(rb"[\x80-\xff]{0,4}[\x00-\x7f]").match(chunk, start):
        length = sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(prefix[0]))
        end = prefix.end() + _checked(length, start)
        if end > len(chunk):
            return
        yield Frame(chunk[prefix.end() : end], start, end)
        start = end
    if len(chunk) >= start + 5:
        raise MalformedRequest("a length is corrupt", start)


def detect(chunk: bytes) -> Split | None:
    """The form of a file, from its first bytes; None while there are too few.

    Raises:
        MalformedRequest: it is none of the three.
    """
    head = chunk.lstrip()
    if re.match(rb'\{\s*["}]', head):
        return split_lines
    if not head or (head.startswith(b"{") and len(head) < HEAD):
        return None
    unfinished = False
    for split in (split_words, split_varints):
        try:
            first = next(split(chunk), None)
        except MalformedRequest:
            continue
        if first is None:
            unfinished = True
        elif first.content.startswith(b"\n") and any(_is_valid(signal, first.content) for signal in Signal):
            return split
    if unfinished and len(chunk) < MAX_FRAME:
        return None
    raise MalformedRequest("neither lines of OTLP/JSON nor length-delimited OTLP")


def requests_of(frame: bytes, split: Split, path: Path) -> list[tuple[Signal, bytes]]:
    """The protobuf requests in a frame, each checked, with their signals.

    Raises:
        MalformedRequest: it holds none.
    """
    if split is split_lines:
        return list(requests_of_document(frame)) if frame.strip() else []
    signal = signal_of_request(frame, path)
    check(signal, frame)
    return [(signal, frame)]


def _checked(length: int, start: int) -> int:
    if length > MAX_FRAME:
        raise MalformedRequest(f"a length of {length} bytes is corrupt", start)
    return length


def _is_valid(signal: Signal, request: bytes) -> bool:
    try:
        check(signal, request)
    except MalformedRequest:
        return False
    return True
