"""How far each file was read: kept durably, and found again after a rename, a copy, a rotation or a restart."""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

from infersight_collector.errors import CollectorError
from infersight_collector.store.wal import sync_directory

Key = tuple[int, int]
"""Device and inode: which file it is, on this machine."""

SAMPLE: Final = 1024
"""Bytes at the beginning, and before the position, by which content is recognised."""

_KEPT_S: Final = 7 * 86_400
"""How long the position of a file that is gone is kept: a copy or a compressed form of it may turn up."""

_MOST: Final = 10_000
"""Positions that are kept at most, the youngest."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a file was read.

    Attributes:
        path: where it was last.
        device: with the inode, which file it is.
        inode: see `device`.
        offset: how much of its content was taken over, in bytes; decompressed ones in a gzip file.
        covered: bytes of the file itself that `head` and `tail` are samples of.
        head: digest of the first bytes.
        tail: digest of the last bytes before `covered`.
        seen: when this was so, in seconds since the epoch.
    """

    path: str
    device: int
    inode: int
    offset: int
    covered: int
    head: str
    tail: str
    seen: float

    @classmethod
    def of(cls, path: Path, file: BinaryIO, offset: int, covered: int) -> "Position":
        """The position in an open file."""
        status = os.fstat(file.fileno())
        head, tail = _samples(file, covered)
        return cls(str(path), status.st_dev, status.st_ino, offset, covered, head, tail, time.time())

    def fits(self, content: BinaryIO) -> bool:
        """Whether the content begins with what was read."""
        return _samples(content, self.covered) == (self.head, self.tail)

    @property
    def key(self) -> Key:
        """Which file it is, on this machine."""
        return self.device, self.inode


class Positions:
    """The positions of one receiver, in a file that only this process may use.

    Args:
        directory: where they are kept; created where it is absent.
    """

    def __init__(self, directory: Path) -> None:
        self._file = directory / "positions.json"
        self._lock: int | None = None
        self._known: dict[Key, Position] = {}
        self._former: list[Position] = []
        self.is_new = True

    def open(self) -> None:
        """Reads what was kept; `is_new` tells whether there was anything.

        Raises:
            CollectorError: another process uses it, or it cannot be read.
        """
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(self._file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            kept = json.loads(self._file.read_text())
            positions = [Position(**fields) for fields in kept]
        except FileNotFoundError:
            return
        except BlockingIOError:
            self.close()
            raise CollectorError(
                f"{self._file.parent}: another collector reads files by this log: give one of them another log"
            ) from None
        except (OSError, ValueError, TypeError) as error:
            self.close()
            raise CollectorError(
                f"{self._file}: cannot be read: {error}; delete it to begin with all files anew"
            ) from error
        self.is_new = False
        for position in positions:
            if position.key in self._known:
                self._former.append(self._known[position.key])
            self._known[position.key] = position

    def close(self) -> None:
        """Lets another process use them."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def left(self, present: Collection[Key]) -> Iterator[Path]:
        """Files that were read and are not among those present, where they are still beside their old place."""
        for key, position in list(self._known.items()):
            path = None if key in present else _find_inode(Path(position.path).parent, key)
            if path is not None and position.covered:
                with suppress(OSError), path.open("rb") as file:
                    if position.fits(file):
                        yield path

    def find(self, key: Key, file: BinaryIO, content: BinaryIO) -> Position | None:
        """The position in a file that is met for the first time, from what was read of it or of its original.

        A file is known by its inode, as long as the content is what was read. Content alone decides where there is
        enough of it: then this is a copy, or the compressed form, of a file that was read.

        Args:
            key: which file it is.
            file: the file as it is.
            content: what it says, decompressed.
        """
        known = self._known.get(key)
        if known is not None:
            if known.fits(file):
                return known
            self._former.append(self._known.pop(key))
        others = [*self._known.values(), *self._former]
        copies = [other for other in others if other.covered == other.offset >= SAMPLE and other.fits(content)]
        return max(copies, key=lambda copy: copy.offset, default=None)

    def update(self, position: Position) -> None:
        """Notes a position; `save` makes it durable."""
        self._known[position.key] = position

    def save(self, present: Collection[Key]) -> None:
        """Makes all positions durable; those of files that are present do not age. Raises OSError."""
        now = time.time()
        for key in present:
            if key in self._known:
                self._known[key] = replace(self._known[key], seen=now)
        self._known = dict(sorted(self._known.items(), key=lambda item: item[1].seen)[-_MOST:])
        self._known = {key: position for key, position in self._known.items() if position.seen >= now - _KEPT_S}
        self._former = [position for position in self._former[-_MOST:] if position.seen >= now - _KEPT_S]
        draft = self._file.with_suffix(".draft")
        with draft.open("w") as file:
            json.dump([asdict(position) for position in (*self._former, *self._known.values())], file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._file)
        sync_directory(self._file.parent)
        self.is_new = False


def _find_inode(directory: Path, key: Key) -> Path | None:
    """The file in a directory that has this device and inode, under whatever name."""
    with suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            if entry.inode() == key[1] and entry.stat(follow_symlinks=False).st_dev == key[0]:
                return Path(entry.path)
    return None


def _samples(content: BinaryIO, covered: int) -> tuple[str, str]:
    content.seek(0)
    head = content.read(min(SAMPLE, covered))
    content.seek(max(0, covered - SAMPLE))
    return _digest(head), _digest(content.read(min(SAMPLE, covered)))


def _digest(sample: bytes) -> str:
    return hashlib.blake2b(sample, digest_size=16).hexdigest()
