"""A spool on disk: telemetry goes into files first, and from there to the collector, when there is one.

A file holds requests of one signal, each after its length (four bytes, big-endian), as `infersight import` reads them.
Its writer holds a lock on it, which the kernel releases when the process ends; whoever gets the lock, in this process
or another on the same spool, sends the requests and deletes the file. A request may arrive twice, where a process ends
between the two; none is lost while the disk has room.
"""

import fcntl
import itertools
import logging
import os
import struct
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from infersight._faults import report
from infersight.export.delivery import Delivery
from infersight.export.destination import SIGNALS, Signal
from infersight.export.raw import Outcome

_LENGTH: Final = struct.Struct(">I")
_FILE_BYTES: Final = 4 << 20
"""A file that has reached this size is closed; the next request opens another."""

_FIRST_WAIT_SECONDS: Final = 1.0
_LONGEST_WAIT_SECONDS: Final = 30.0
"""Between two attempts while the collector is away; each wait is twice the last."""

_LOG: Final = logging.getLogger("infersight")

Send = Callable[[Signal, bytes], Outcome]


class SpoolFiles:
    """The files of a spool, and those that this process writes.

    Args:
        folder: made when there is none; several processes may share it.
        max_bytes: what all files together hold, about; a request beyond it is refused.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._numbers = itertools.count()
        self.forget()
        folder.mkdir(parents=True, exist_ok=True)
        self._bytes = sum(_size(path) for path in self.paths())

    def forget(self) -> None:
        """Leave the open files to the parent, in a forked child."""
        for file in getattr(self, "_open", {}).values():
            os.close(file)  # the parent's own descriptor keeps its lock
        self._lock = threading.Lock()
        self._open: dict[Signal, int] = {}

    def append(self, signal: Signal, request: bytes) -> bool:
        """Put one request at the end; False where the spool is full or the disk refuses."""
        frame = _LENGTH.pack(len(request)) + request
        with self._lock:
            if self._bytes + len(frame) > self._max_bytes:
                return False
            try:
                file = self._open.get(signal)
                if file is None:
                    file = self._open[signal] = self._create(signal)
                begin = os.lseek(file, 0, os.SEEK_END)
                if os.write(file, frame) < len(frame):
                    os.ftruncate(file, begin)
                    return False
            except OSError as error:
                _LOG.warning("the spool takes no telemetry: %s", error)
                return False
            self._bytes += len(frame)
            if begin + len(frame) >= _FILE_BYTES:
                os.close(self._open.pop(signal))
        return True

    def release(self) -> None:
        """Close the files that this process writes, so that they can be sent."""
        with self._lock:
            while self._open:
                os.close(self._open.popitem()[1])
            self._bytes = sum(_size(path) for path in self.paths())

    def paths(self) -> list[Path]:
        """All files, the oldest first."""
        return sorted(self._folder.glob("*.pb"), key=lambda path: path.name.partition("-")[2])

    def _create(self, signal: Signal) -> int:
        while True:
            path = self._folder / f"{signal}-{time.time_ns():020d}-{os.getpid()}-{next(self._numbers)}.pb"
            file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND, 0o600)
            fcntl.flock(file, fcntl.LOCK_EX)
            if _is_at(file, path):
                return file
            os.close(file)  # whoever sends had the lock first, found nothing in it, and deleted it


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # sent by another process
        return 0


@contextmanager
def claimed(path: Path) -> Generator[bytes | None]:
    """The content of a file while nobody else writes or sends it; None where somebody does, or did."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield None
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield file.read() if _is_at(file.fileno(), path) else None


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:  # sent by another process before we had its lock
        return False


def requests_in(content: bytes) -> list[bytes]:
    """The requests of a file; one that its writer did not finish is left out."""
    requests: list[bytes] = []
    at = 0
    while at + _LENGTH.size <= len(content):
        (length,) = _LENGTH.unpack_from(content, at)
        at += _LENGTH.size
        if at + length > len(content):
            break
        requests.append(content[at : at + length])
        at += length
    return requests


def send_file(path: Path, send: Send) -> bool:
    """Send a file's requests and delete it; False where the collector is away, which leaves the rest."""
    signal: Signal | None = next((signal for signal in SIGNALS if path.name.startswith(f"{signal}-")), None)
    if signal is None:
        return True
    with claimed(path) as content:
        if content is None:
            return True
        requests = requests_in(content)
        for number, request in enumerate(requests):
            if send(signal, request) is Outcome.AWAY:
                if number:
                    _replace(path, requests[number:])
                return False
        path.unlink()
    return True


def _replace(path: Path, requests: Sequence[bytes]) -> None:
    rest = path.with_suffix(".rest")
    rest.write_bytes(b"".join(_LENGTH.pack(len(request)) + request for request in requests))
    rest.replace(path)


class Spool:
    """The files, and the thread that sends them while there are any.

    Args:
        files: where requests wait.
        deliveries: makes the attempts for each signal.
    """

    def __init__(self, files: SpoolFiles, deliveries: Mapping[Signal, Delivery]) -> None:
        self._files = files
        self._deliveries = deliveries
        self._stopped = False
        self._thread: threading.Thread | None = None
        self._begin_anew()
        os.register_at_fork(after_in_child=self._in_child)
        if files.paths():  # what a process before this one could not send
            self._hurry()

    def append(self, signal: Signal, request: bytes) -> bool:
        """Take one request; False where it is lost, because the spool is full or the disk refuses."""
        taken = self._files.append(signal, request)
        self._hurry()
        return taken

    def drain(self) -> bool:
        """Send what waits; False where the collector is away."""
        with self._draining:
            self._files.release()
            return all(send_file(path, self._send) for path in self._files.paths())

    def stop(self) -> None:
        """End the thread; what waits still stays for the next process."""
        self._stopped = True
        self._wake.set()
        for delivery in self._deliveries.values():
            delivery.close()

    def _send(self, signal: Signal, request: bytes) -> Outcome:
        return self._deliveries[signal].send(request)

    def _hurry(self) -> None:
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="infersight-spool", daemon=True)
                with suppress(RuntimeError):  # the interpreter shuts down; what is there is sent then
                    thread.start()
                    self._thread = thread
        self._wake.set()

    def _run(self) -> None:
        wait = _FIRST_WAIT_SECONDS
        while self._wake.wait() and not self._stopped:
            self._wake.clear()
            try:
                is_there = self.drain()
            except Exception:  # noqa: BLE001 - the files stay for the next attempt
                report("send from the spool")
                is_there = False
            if is_there:
                wait = _FIRST_WAIT_SECONDS
            else:
                time.sleep(wait)
                wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
                self._wake.set()

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        self._draining = threading.Lock()
        self._wake = threading.Event()
        self._thread = None

    def _in_child(self) -> None:
        self._files.forget()
        self._begin_anew()
