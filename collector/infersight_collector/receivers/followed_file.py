"""One file that is being written, read from where it was left."""

import gzip
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from infersight_collector.errors import MalformedRequest
from infersight_collector.receivers.file_frames import MAX_FRAME, Frame, Split, detect, split_lines
from infersight_collector.receivers.file_positions import Position, Positions

CHUNK: Final = 2**20
"""Bytes that are read at a time, unless a single request is longer."""

_GZIP_MAGIC: Final = b"\x1f\x8b"

_DAMAGED: Final = (zlib.error, gzip.BadGzipFile)


@dataclass(frozen=True, slots=True)
class Chunk:
    """What was read at once.

    Attributes:
        frames: whole requests, their places counted from the beginning of the content.
        split: the form of the file.
        more: whether there may be more to read at once.
        unfinished: whether the one frame is a line without its end, to be taken only where it is whole all the same.
    """

    frames: list[Frame]
    split: Split
    more: bool = False
    unfinished: bool = False


class FollowedFile:
    """A file with the place that was reached in it. While it is open, a rename or removal loses nothing of it.

    Args:
        path: where it is now.
        positions: where its place is looked up.

    Raises:
        OSError: it cannot be read.
    """

    def __init__(self, path: Path, positions: Positions) -> None:
        self.path = path
        self.offset = 0
        self.settled = False
        self._positions = positions
        self._file: BinaryIO = path.open("rb")
        self._content: Any = self._file  # or a GzipFile, which is no BinaryIO to type checkers
        status = os.fstat(self._file.fileno())
        self.key: Final = status.st_dev, status.st_ino
        self.state = -1, -1
        self._tried = self.state
        self._readable = False
        self._split: Split | None = None
        self._position = Position.of(path, self._file, 0, 0)

    @property
    def is_exhausted(self) -> bool:
        """Whether everything in it was taken over."""
        return self._readable and self.settled and self.unread_bytes == 0

    @property
    def unread_bytes(self) -> int:
        """Bytes that are not taken over yet; 0 for a gzip file."""
        return max(0, self.state[0] - self.offset) if self._content is self._file else 0

    def close(self) -> None:
        """Gives the file up."""
        self._file.close()

    def position(self) -> Position:
        """The place that was reached, to be kept."""
        covered = self.offset if self._content is self._file else self.state[0]
        self._position = Position.of(self.path, self._file, self.offset, covered)
        return self._position

    def read(self, *, last: bool = False) -> Chunk | None:
        """What was added, or None where that is no whole request yet; `settled` tells that nothing is left to try.

        Args:
            last: nothing will be added any more.

        Raises:
            MalformedRequest: the file cannot be read from its offset on, until there is another content.
            OSError: it cannot be read now.
        """
        status = os.fstat(self._file.fileno())
        state = status.st_size, status.st_mtime_ns
        changed, self.state = state != self.state, state
        try:
            if changed:
                self._readable = self._recognise(status.st_size)
            chunk = self._chunk() if self._readable else None
        except (zlib.error, gzip.BadGzipFile):
            self._readable = False
            raise MalformedRequest("the gzip stream is damaged", self.offset) from None
        except MalformedRequest as error:
            self._readable = False
            raise MalformedRequest(error.reason, self.offset + error.offset) from None
        if chunk is None and self._readable and (last or (not changed and self._tried != state)):
            self._tried = state
            chunk = self._unfinished()
        self.settled = chunk is None and (last or not changed)
        return chunk

    def _recognise(self, size: int) -> bool:
        """Finds the place in the content anew where that is not what was read; False while it cannot be read."""
        known = self._position
        if known.covered and size >= known.covered and known.fits(self._file):
            return self._readable if self._content is self._file else self._unpack()
        self._file.seek(0)
        is_gzip = self._file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        self._content = self._file
        if is_gzip and not self._unpack():
            return False
        self._split = None
        found = self._positions.find(self.key, self._file, self._content)
        self.offset = found.offset if found is not None else 0
        return True

    def _unpack(self) -> bool:
        """Whether a gzip file has its end; its writer holds back what it has before that."""
        self._file.seek(0)
        self._content = gzip.GzipFile(fileobj=self._file)
        try:
            while self._content.read(CHUNK):
                pass
        except EOFError:
            return False
        return True

    def _chunk(self) -> Chunk | None:
        size = CHUNK
        while data := self._data(size):
            split = self._form(data)
            if split is None:
                return None
            frames = self._frames(split, data)
            if frames or len(data) < size:
                return Chunk(frames, split, more=len(data) == size) if frames else None
            if size >= MAX_FRAME:
                raise MalformedRequest(f"more than {MAX_FRAME} bytes without an end")
            size *= 4
        return None

    def _frames(self, split: Split, data: bytes) -> list[Frame]:
        """The whole frames of what was read; damage behind one comes out at the next reading."""
        frames: list[Frame] = []
        try:
            frames.extend(
                Frame(found.content, self.offset + found.start, self.offset + found.end) for found in split(data)
            )
        except MalformedRequest:
            if not frames:
                raise
        return frames

    def _unfinished(self) -> Chunk | None:
        """The last line, where its end is missing."""
        data = self._data(MAX_FRAME)
        if not data or self._form(data) is not split_lines:
            return None
        return Chunk([Frame(data, self.offset, self.offset + len(data))], split_lines, unfinished=True)

    def _data(self, size: int) -> bytes:
        self._content.seek(self.offset)
        data: bytes = self._content.read(size)
        return data

    def _form(self, data: bytes) -> Split | None:
        if self._split is None:
            if self.offset:
                self._content.seek(0)
                data = self._content.read(CHUNK)
            self._split = detect(data)
        return self._split
