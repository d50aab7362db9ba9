"""Segment files of the write-ahead log: framed records, and what can be read of a file that was damaged."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from infersight_collector.signals import Request, Signal

MAX_RECORD_BYTES: Final = 2**30
"""Longest record; a longer length in a segment is damage."""

# Marks where a frame may begin, so that reading resumes behind damage. 0xF1 never occurs in UTF-8 before "WAL".
_MARKER: Final = b"\xf1WAL"
_HEADER: Final = struct.Struct("<4sBII")  # marker, signal, length of the request, CRC-32 of all but the marker
_CHECKED: Final = struct.Struct("<BI")
_SIGNALS: Final = tuple(Signal)
_SCANNED: Final = 4


class Record(NamedTuple):
    """One accepted request and its signal."""

    signal: Signal
    request: Request


class Origin(NamedTuple):
    """Where rows come from. A writer's numbers only grow, and are written to the store in that order."""

    writer: str
    number: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A finished file of the log, waiting to be written to the tables."""

    origin: Origin
    path: Path


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes of a segment that hold no readable record.

    `torn` is a record cut off at the end of the file: what a crash leaves of a request that was never acknowledged.
    """

    path: Path
    offset: int
    length: int
    torn: bool

    def __str__(self) -> str:
        what = "torn record" if self.torn else "damage, skipped,"
        return f"{self.path}: {what} at byte {self.offset}, {self.length} bytes"


def read(segment: Segment) -> tuple[list[Record], list[Damage]]:
    """The records of a segment, in the order they were appended, and what could not be read.

    The requests are views of the segment's bytes, which are read at once.

    Damage never raises: reading resumes at the next intact record behind it.
    """
    data = segment.path.read_bytes()
    records: list[Record] = []
    damage: list[Damage] = []
    offset = 0
    while offset < len(data):
        frame = _frame_at(data, offset)
        if frame is not None:
            record, offset = frame
            records.append(record)
            continue
        resume = _next_frame(data, offset)
        torn = resume == len(data) and _is_cut_off(data, offset)
        damage.append(Damage(segment.path, offset, resume - offset, torn))
        offset = resume
    return records, damage


def frame(record: Record) -> tuple[Request, Request]:
    """A record's header and its request, to be written one after the other."""
    signal = _SIGNALS.index(record.signal)
    if len(record.request) > MAX_RECORD_BYTES:
        raise ValueError(f"a record of {len(record.request)} bytes is longer than {MAX_RECORD_BYTES}")
    checksum = zlib.crc32(record.request, zlib.crc32(_CHECKED.pack(signal, len(record.request))))
    return _HEADER.pack(_MARKER, signal, len(record.request), checksum), record.request


def _frame_at(data: bytes, offset: int) -> tuple[Record, int] | None:
    """The record whose frame begins at `offset` and the offset behind it, or None where none is intact."""
    body = offset + _HEADER.size
    if body > len(data):
        return None
    marker, signal, length, checksum = _HEADER.unpack_from(data, offset)
    if marker != _MARKER or signal >= len(_SIGNALS) or body + length > len(data):
        return None
    request = memoryview(data)[body : body + length]
    if zlib.crc32(request, zlib.crc32(_CHECKED.pack(signal, length))) != checksum:
        return None
    return Record(_SIGNALS[signal], request), body + length


def _next_frame(data: bytes, damaged: int) -> int:
    """The offset of the first intact frame behind the damaged one, or the end of the data.

    A record may be full of what looks like frames, and checking all of these would take the square of its size. After
    a few times the data, what the damaged frame says about its length is believed, if an intact one follows there.
    """
    budget = _SCANNED * len(data)
    for offset in _markers(data, damaged + 1):
        if _frame_at(data, offset):
            return offset
        budget -= min(_stated_end(data, offset) - offset, len(data))
        if budget < 0:
            end = _stated_end(data, damaged)
            return end if _frame_at(data, end) else len(data)
    return len(data)


def _stated_end(data: bytes, offset: int) -> int:
    """Where the frame at `offset` ends by its own account; the end of the data where that cannot be."""
    body = offset + _HEADER.size
    if body > len(data):
        return len(data)
    length: int = _HEADER.unpack_from(data, offset)[2]
    return min(body + length, len(data))


def _markers(data: bytes, start: int) -> Iterator[int]:
    offset = data.find(_MARKER, start)
    while offset >= 0:
        yield offset
        offset = data.find(_MARKER, offset + 1)


def _is_cut_off(data: bytes, offset: int) -> bool:
    """Whether the frame at `offset` is a beginning that the end of the file cut off."""
    head = data[offset : offset + len(_MARKER)]
    if not _MARKER.startswith(head):
        return False
    if offset + _HEADER.size > len(data):
        return True
    _, _, length, _ = _HEADER.unpack_from(data, offset)
    return bool(offset + _HEADER.size + length > len(data))
