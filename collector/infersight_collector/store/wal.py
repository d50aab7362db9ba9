"""The write-ahead log: what makes an acknowledgement a promise.

A writer process owns one directory, `wal/<writer id>/`, for its life, by a lock that the kernel releases when the
process dies. In it are numbered segment files of framed records. The cycle is

    wal.append(records)         returns after fsync: now the sender may be told "accepted"
    segment = wal.rotate()      about every second: later records go to the next file
    records, damage = read(segment)
    store.write(tables, segment.origin)
    wal.remove(segment)         only after the store has the rows for good

At start `wal.segments()` also lists what dead writers left. Their segments keep their origin, by which the store
knows the ones that it already has: each record is in the tables exactly once, wherever a crash happened.
"""

import fcntl
import os
import shutil
import threading
import time
import uuid
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, Literal, Self

from infersight_collector.signals import Request
from infersight_collector.store.errors import unavailable
from infersight_collector.store.segments import Damage, Origin, Record, Segment, frame, read

__all__ = [
    "Damage",
    "FsyncPolicy",
    "Origin",
    "Record",
    "Segment",
    "Wal",
    "live_writers",
    "read",
    "sync_directory",
    "sync_file",
]

FsyncPolicy = Literal["always", "interval", "never"]
"""When records reach the disk itself: before `append` returns; at most `interval_s` later; when the kernel likes."""

_IOV_MAX: Final = 1024  # buffers that one call may write
_SUFFIX: Final = ".wal"
_LOCK: Final = "lock"


@dataclass(slots=True)
class _Batch:
    """The bytes of one `append`, and what became of them."""

    parts: list[Request]
    done: bool = False
    error: OSError | None = None


class Wal:
    """The log of this process: append from any thread, rotate and remove from one.

    Args:
        directory: the directory of this writer, locked by `lock`.
        lock: file descriptor that holds the lock.
        fsync: when records reach the disk.
        interval_s: longest time without fsync under the policy "interval".
    """

    def __init__(self, directory: Path, lock: int, fsync: FsyncPolicy, interval_s: float) -> None:
        self.writer: Final = directory.name
        self._directory = directory
        self._lock = lock
        self._fsync: FsyncPolicy = fsync
        self._interval_s = interval_s
        self._synced_at = 0.0
        self._pending: list[_Batch] = []
        self._pending_lock = threading.Lock()
        self._io = threading.Lock()
        self._file: int | None = None
        self._number = 0
        self._length = 0
        self._finished: list[Segment] = []
        self._adopted: dict[Path, int] = {}

    @classmethod
    def open(cls, store: Path, *, fsync: FsyncPolicy = "always", interval_s: float = 0.2, adopt: bool = True) -> Self:
        """Starts a new log below `store/wal` and, if it shall `adopt`, takes over what dead writers left there.

        Raises:
            StoreUnavailable: the directory cannot be written.
        """
        root = store / "wal"
        try:
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
            wal = cls(*_new_directory(root), fsync, interval_s)
            if adopt:
                wal._adopt(root)
        except OSError as error:
            raise unavailable(f"create a log in {root}", error) from error
        return wal

    @property
    def active_bytes(self) -> int:
        """Bytes appended since the last `rotate`."""
        return self._length

    def append(self, records: Sequence[Record]) -> None:
        """Keeps the records, all or none, and returns when they are safe by the fsync policy.

        Callers that arrive while another one writes share the next write and its fsync (group commit).

        Raises:
            StoreFull: no space; nothing was kept, the log is intact, the sender may retry.
            StoreUnavailable: any other failure to write; the same holds.
        """
        batch = _Batch([part for record in records for part in frame(record)])
        with self._pending_lock:
            self._pending.append(batch)
        with self._io:
            if not batch.done:
                self._write_pending()
        if batch.error is not None:
            raise unavailable(f"append to {self._directory}", batch.error) from batch.error

    def rotate(self) -> Segment | None:
        """Finishes the current segment, so that later records go to the next one.

        Returns:
            the finished segment, or None where nothing was appended since the last call.
        """
        with self._io:
            return self._finish()

    def segments(self) -> list[Segment]:
        """Finished segments that were not removed yet, of this and of dead writers; each writer's in order."""
        with self._io:
            return list(self._finished)

    def remove(self, segment: Segment) -> None:
        """Deletes a segment whose rows the store has for good."""
        with self._io:
            segment.path.unlink(missing_ok=True)
            if segment in self._finished:
                self._finished.remove(segment)
            directory = segment.path.parent
            if directory in self._adopted and not any(s.path.parent == directory for s in self._finished):
                shutil.rmtree(directory, ignore_errors=True)
                os.close(self._adopted.pop(directory))

    def close(self) -> None:
        """Finishes the current segment and gives up the locks; what was not removed waits for the next writer."""
        with self._io:
            self._finish()
            if not any(s.path.parent == self._directory for s in self._finished):
                shutil.rmtree(self._directory, ignore_errors=True)
            for lock in (self._lock, *self._adopted.values()):
                os.close(lock)
            self._adopted.clear()

    def _write_pending(self) -> None:
        """Writes and syncs what has gathered; every waiting `append` learns the outcome."""
        with self._pending_lock:
            batches, self._pending = self._pending, []
        error: OSError | None = None
        try:
            self._write([part for batch in batches for part in batch.parts])
        except OSError as failure:
            error = failure
            self._abandon()
        for batch in batches:
            batch.done, batch.error = True, error

    def _write(self, parts: Sequence[Request]) -> None:
        file = self._create() if self._file is None else self._file
        left = deque(parts)
        while left:
            written = os.writev(file, list(islice(left, _IOV_MAX)))
            while left and written >= len(left[0]):
                written -= len(left.popleft())
            if written:
                left[0] = memoryview(left[0])[written:]
        now = time.monotonic()
        if self._fsync == "always" or (self._fsync == "interval" and now - self._synced_at >= self._interval_s):
            os.fdatasync(file)
            self._synced_at = now
        self._length += sum(map(len, parts))

    def _create(self) -> int:
        path = self._path(self._number + 1)
        # Ours before the sync, which may fail: `_abandon` then closes it.
        self._file = file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._number += 1
        self._length = 0
        if self._fsync != "never":
            sync_directory(self._directory)
        return file

    def _abandon(self) -> None:
        """After a failed write: cuts the segment back to its last whole record and continues in a new one.

        The segment is not appended to again, because after a failed fsync the kernel may have dropped its pages.
        """
        if self._file is None:
            return
        with suppress(OSError):
            os.ftruncate(self._file, self._length)
        with suppress(OSError):
            self._finish()

    def _finish(self) -> Segment | None:
        if self._file is None:
            return None
        file, self._file = self._file, None
        segment = Segment(Origin(self.writer, self._number), self._path(self._number))
        empty = self._length == 0
        self._length = 0
        try:
            if self._fsync == "interval" and not empty:
                os.fdatasync(file)
        finally:
            os.close(file)
            if empty:
                segment.path.unlink(missing_ok=True)
            else:
                self._finished.append(segment)
        return None if empty else segment

    def _path(self, number: int) -> Path:
        return self._directory / f"{number:012d}{_SUFFIX}"

    def _adopt(self, root: Path) -> None:
        """Takes over the directories whose owner is dead, with the segments in them."""
        for directory in sorted(root.iterdir()):
            if directory == self._directory or not directory.is_dir():
                continue
            lock = _try_lock(directory)
            if lock is None:
                continue
            found = [
                Segment(Origin(directory.name, int(path.stem)), path)
                for path in sorted(directory.glob(f"*{_SUFFIX}"))
                if path.stem.isdecimal()
            ]
            if found:
                self._finished += found
                self._adopted[directory] = lock
            else:
                shutil.rmtree(directory, ignore_errors=True)
                os.close(lock)


def live_writers(store: Path) -> list[str]:
    """The writers of a store whose processes live at the moment."""
    alive: list[str] = []
    for directory in (store / "wal").glob("*/"):
        lock = _try_lock(directory)
        if lock is not None:
            os.close(lock)
        elif directory.exists():
            alive.append(directory.name)
    return alive


def sync_directory(directory: Path) -> None:
    """Makes the names in a directory durable: a new file survives a power cut only with its entry."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Makes the content of a file durable that was written elsewhere."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _new_directory(root: Path) -> tuple[Path, int]:
    """A directory for a new writer, and the descriptor of its lock."""
    while True:
        directory = root / uuid.uuid4().hex
        directory.mkdir(mode=0o700)
        lock = _try_lock(directory)
        if lock is not None:
            sync_directory(root)
            return directory, lock
        # Another writer that just started took the directory for a dead one's and removed it.


def _try_lock(directory: Path) -> int | None:
    """The descriptor of the held lock of a writer's directory, or None while its owner lives or it vanished."""
    try:
        descriptor = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # An owner that finished between our open and our lock has deleted the file that we locked.
        if (directory / _LOCK).stat().st_ino == os.fstat(descriptor).st_ino:
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None
