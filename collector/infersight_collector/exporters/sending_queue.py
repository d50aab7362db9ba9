"""A sending queue on disk: requests wait in files until they are delivered, whatever becomes of the process.

    waiting/000000000042-7-<writer>/000000-traces.pb ...    the requests of one log segment, each file one request
    refused/000000000042-7-<writer>-000000-traces.pb        what the receiver does not want
    delivered.json                                          the last segment of each writer
    lock                                                    held by the process that uses the queue

A directory of requests appears whole or not at all. A file is deleted when its request was delivered. All of them are
bare OTLP requests, as `infersight import` reads them.
"""

import fcntl
import os
import shutil
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from infersight_collector.errors import CollectorError
from infersight_collector.exporters.ledger import Ledger
from infersight_collector.signals import Signal
from infersight_collector.store.errors import StoreUnavailable, unavailable
from infersight_collector.store.wal import Origin, sync_directory


@dataclass(frozen=True, slots=True)
class Item:
    """A request that waits.

    Attributes:
        path: its file.
        signal: what it carries.
        size: in bytes.
    """

    path: Path
    signal: Signal
    size: int


class SendingQueue:
    """Requests in the order in which their segments came. One thread puts, one thread takes.

    Args:
        directory: where they are kept; created where it is absent.
        max_bytes: size beyond which no segment is taken any more; a single one always is.
    """

    def __init__(self, directory: Path, max_bytes: int) -> None:
        self._directory = directory
        self._waiting = directory / "waiting"
        self._refused = directory / "refused"
        self._max_bytes = max_bytes
        self._ledger = Ledger(directory / "delivered.json")
        self._items: deque[Item] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._lock: int | None = None
        self._number = 0
        self.bytes = 0

    def open(self) -> None:
        """Takes the directory, and finds what an earlier process has left in it.

        Raises:
            CollectorError: another process has it, or it cannot be used.
        """
        try:
            for directory in (self._waiting, self._refused):
                directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(self._directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._ledger.load()
            self._find()
        except BlockingIOError as error:
            raise CollectorError(f"{self._directory} is in use by another collector: give this one its own") from error
        except OSError as error:
            raise CollectorError(f"the sending queue {self._directory} cannot be used: {error}") from error

    def put(self, origin: Origin, requests: Sequence[tuple[Signal, bytes]]) -> None:
        """Keeps the requests of a segment durably, once: a segment that is known is left alone.

        Raises:
            StoreUnavailable: there is no room, or the disk does not take them; nothing was kept.
        """
        if self._ledger.has(origin):
            return
        size = sum(len(request) for _, request in requests)
        with self._changed:
            if self.bytes and self.bytes + size > self._max_bytes:
                raise StoreUnavailable(
                    f"the sending queue has {self.bytes} bytes waiting of at most {self._max_bytes}: the receiver is "
                    "away or too slow; raise sending_queue.queue_size if it will be for longer"
                )
        found = self._write(origin, requests) if requests else []
        with self._changed:
            self._ledger.add(origin)
            self._items += found
            self.bytes += size
            self._changed.notify_all()

    def next(self) -> Item | None:
        """The oldest request, as soon as there is one; None when there is none and the queue is closing."""
        with self._changed:
            while not self._items and not self._closing:
                self._changed.wait()
            return self._items[0] if self._items else None

    def done(self, item: Item) -> None:
        """Forgets the oldest request.

        Raises:
            OSError: it cannot be deleted, and will be sent again by the next process.
        """
        self._forget(item)
        item.path.unlink(missing_ok=True)
        self._finish(item.path.parent)

    def set_aside(self, item: Item) -> Path | None:
        """Moves the oldest request to those that are refused, for a person; None where these have no more room."""
        if sum(path.stat().st_size for path in self._refused.iterdir()) + item.size > self._max_bytes:
            return None
        kept = self._refused / f"{item.path.parent.name}-{item.path.name}"
        item.path.replace(kept)
        sync_directory(self._refused)
        self._forget(item)
        self._finish(item.path.parent)
        return kept

    def close(self) -> None:
        """Lets `next` return when nothing waits."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def release(self) -> None:
        """Gives the directory up."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _find(self) -> None:
        for entry in sorted(self._waiting.iterdir()):
            number, *origin = entry.name.split("-", 2)
            if not number.isdecimal() or len(origin) != 2:
                shutil.rmtree(entry)  # not finished by a process that died
                continue
            self._number = int(number)
            self._ledger.add(Origin(origin[1], int(origin[0])))
            found = [_item(path) for path in sorted(entry.iterdir())]
            self._items += found
            if not found:
                self._finish(entry)
        self.bytes = sum(item.size for item in self._items)

    def _write(self, origin: Origin, requests: Sequence[tuple[Signal, bytes]]) -> list[Item]:
        """The requests of a segment as files, all or none."""
        draft = self._waiting / "draft"
        entry = self._waiting / f"{self._number + 1:012d}-{origin.number}-{origin.writer}"
        try:
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(mode=0o700)
            for number, (signal, request) in enumerate(requests):
                _write_durably(draft / f"{number:06d}-{signal}.pb", request)
            sync_directory(draft)
            draft.rename(entry)
            sync_directory(self._waiting)
        except OSError as error:
            for left in (draft, entry):
                shutil.rmtree(left, ignore_errors=True)
            raise unavailable(f"write to the sending queue {self._waiting}", error) from error
        self._number += 1
        return [_item(path) for path in sorted(entry.iterdir())]

    def _forget(self, item: Item) -> None:
        with self._changed:
            self._items.popleft()
            self.bytes -= item.size

    def _finish(self, entry: Path) -> None:
        """Removes the directory of a segment when it is empty; the ledger knows the segment from then on."""
        if any(entry.iterdir()):
            return
        with self._changed:
            self._ledger.save()
        with suppress(FileNotFoundError):
            entry.rmdir()


def _item(path: Path) -> Item:
    return Item(path, Signal(path.stem.partition("-")[2]), path.stat().st_size)


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
