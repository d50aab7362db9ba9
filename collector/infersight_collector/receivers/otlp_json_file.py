"""The receiver `otlp_json_file`: follows files of OTLP requests while they are written.

Lines of OTLP/JSON, as OpenTelemetry's file exporter writes them, and length-delimited protobuf; each also in a gzip
file, once that is complete.
"""

import glob
import logging
import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from infersight_collector.component import Listening, RequestSink, Surroundings
from infersight_collector.config.values import Duration
from infersight_collector.errors import MalformedRequest
from infersight_collector.receivers.file_positions import Key, Positions
from infersight_collector.receivers.file_submission import Stopped, Submission
from infersight_collector.receivers.followed_file import FollowedFile
from infersight_collector.signals import Signal
from infersight_collector.telemetry.instruments import RECEIVER_FILES, RECEIVER_UNREAD

_log = logging.getLogger(__name__)

_SUFFIXES: Final = (".json", ".jsonl", ".pb", ".gz")
"""The files that are taken of a directory."""

_HOLD_S: Final = 60.0
"""How long a file stays open after its last change; one that is rotated later has nothing unread."""

_MAX_OPEN: Final = 256
"""Files that stay open at most; the limit of a process is often 1024, and senders need theirs."""

_MAX_PAUSE_S: Final = 5.0
"""Longest pause before a request that there was no room for is tried again."""


@dataclass(frozen=True)
class OtlpJsonFileConfig:
    """Configuration of one `otlp_json_file` receiver; keys as in the OpenTelemetry Collector.

    Attributes:
        include: patterns of files, or directories, of which all *.json, *.jsonl, *.pb and *.gz are taken.
        exclude: patterns of files that are left out.
        start_at: where to begin, at the first start, in files that are there already. All others are read whole.
        poll_interval: time between two looks.
        delete_after_read: whether files are deleted when they were read to their end and do not grow.
    """

    include: list[str]
    exclude: list[str] = field(default_factory=list[str])
    start_at: Literal["beginning", "end"] = "end"
    poll_interval: Duration = Duration(0.2)  # noqa: RUF009 - a float
    delete_after_read: bool = False

    def __post_init__(self) -> None:
        if not self.include:
            raise ValueError("include names no files: write patterns, as in [/var/log/otlp/*.jsonl]")
        if self.delete_after_read and self.start_at == "end":
            raise ValueError("delete_after_read needs start_at: beginning, or files would be deleted unread")

    def files(self) -> dict[Path, os.stat_result]:
        """The files that are there now."""
        excluded = {path for pattern in self.exclude for path in _expand(pattern)}
        found: dict[Path, os.stat_result] = {}
        for path in (path for pattern in self.include for path in _expand(pattern) if path not in excluded):
            with suppress(OSError):  # it vanished
                status = path.stat()
                if stat.S_ISREG(status.st_mode):
                    found[path] = status
        return found


def _expand(pattern: str) -> Iterator[Path]:
    for name in sorted(glob.glob(pattern, recursive=True)):  # noqa: PTH207 - absolute patterns
        path = Path(name)
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES)
        else:
            yield path


class OtlpJsonFileReceiver:
    """Follows the files of one configuration on a thread.

    The place reached in a file is kept after what is before it was acknowledged: nothing is lost, and a crash
    between the two repeats what was acknowledged last, of each file a megabyte at most.

    Args:
        config: what to follow.
        signals: the signals whose pipelines it feeds.
        name: as configured.
        surroundings: where places are kept.
    """

    _submission: Submission

    def __init__(self, config: OtlpJsonFileConfig, signals: set[Signal], name: str, surroundings: Surroundings) -> None:
        self._config = config
        self._name = name
        self._signals = signals
        self._positions = Positions(surroundings.directory)
        self._open: dict[Key, FollowedFile] = {}
        self._quiet: dict[Key, tuple[int, int]] = {}
        self._advanced: set[FollowedFile] = set()
        self._unsaved = False
        self._present: set[Key] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        surroundings.telemetry.observe(RECEIVER_FILES, lambda: len(self._present), name)
        surroundings.telemetry.observe(RECEIVER_UNREAD, self._unread_bytes, name)

    def start(self, sink: RequestSink) -> list[Listening]:
        """Begins to follow.

        Raises:
            CollectorError: the places that were reached cannot be read.
        """
        self._positions.open()
        self._submission = Submission(sink, self._signals, self._stopping, self._name)
        self._thread.start()
        return []

    def stop(self) -> None:
        """Ends after the request in progress; the next start goes on from there."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        for file in self._open.values():
            file.close()
        self._positions.close()

    def _run(self) -> None:
        first = True
        more = False
        while not self._stopping.wait(0 if more else self._config.poll_interval):
            try:
                more = self._look(first=first)
                first = False
            except Stopped:
                break
            except Exception:  # noqa: BLE001 - the thread must live on, whatever a file does
                _log.exception("following files failed, and is tried again")
                more = False
                self._stopping.wait(_MAX_PAUSE_S)
        self._save()

    def _look(self, *, first: bool) -> bool:
        """One look at every file; whether there is more to read at once."""
        files = self._config.files()
        present: dict[Key, Path] = {(status.st_dev, status.st_ino): path for path, status in files.items()}
        states = {(found.st_dev, found.st_ino): (found.st_size, found.st_mtime_ns) for found in files.values()}
        self._present = set(present)
        self._quiet = {key: state for key, state in self._quiet.items() if states.get(key) == state}
        to_end = first and self._positions.is_new and self._config.start_at == "end"
        more = False
        for key, path in present.items():
            if key not in self._quiet:
                more |= self._advance(key, path, to_end=to_end)
        for key in [key for key in self._open if key not in present]:
            self._finish(self._open.pop(key))
        if first:
            self._finish_left()
        self._save()
        return more

    def _advance(self, key: Key, path: Path, *, to_end: bool) -> bool:
        """Takes the next requests of a file; whether there may be more at once."""
        try:
            file = self._open.get(key) or FollowedFile(path, self._positions)
            file.path = path
            self._open[file.key] = file
            while to_end and self._pass_over(file):
                continue
            more = self._take(file)
        except OSError as error:
            _log.warning("%s: cannot be read: %s", path, error.strerror or error, extra={"component": self._name})
            return False
        except Stopped:
            raise
        except Exception:  # noqa: BLE001 - whatever is wrong with one file, the others go on
            _log.exception("%s: cannot be followed", path, extra={"component": self._name})
            return False
        if file.settled:
            self._settle(file)
        return more

    def _settle(self, file: FollowedFile) -> None:
        """What happens to a file with nothing left to read."""
        if self._config.delete_after_read and file.is_exhausted:
            file.path.unlink(missing_ok=True)
        elif time.time() - file.state[1] / 1e9 < _HOLD_S and len(self._open) <= _MAX_OPEN:
            return
        self._quiet[file.key] = file.state
        self._close(self._open.pop(file.key))

    def _finish(self, file: FollowedFile) -> None:
        """Reads a file to its end that has left the patterns, by a rename or removal."""
        with suppress(OSError):
            while not self._stopping.is_set() and self._take(file, last=True):
                continue
        self._close(file)

    def _close(self, file: FollowedFile) -> None:
        with suppress(OSError):
            self._note()
        file.close()

    def _finish_left(self) -> None:
        """After a start: reads the rest of files that left the patterns meanwhile, where they are still beside them."""
        for path in self._positions.left(self._present):
            with suppress(OSError):
                self._finish(FollowedFile(path, self._positions))

    def _take(self, file: FollowedFile, *, last: bool = False) -> bool:
        """Submits a chunk; whether there may be more at once."""
        try:
            chunk = file.read(last=last)
        except MalformedRequest as error:
            self._submission.report(file.path, error, error.offset, "the file is not read further")
            return False
        if chunk is None:
            return False
        unfinished = chunk.unfinished and not last
        for end in self._submission.take(file.path, chunk.frames, chunk.split, unfinished=unfinished):
            file.offset = end
            self._advanced.add(file)
        return chunk.more or last

    def _pass_over(self, file: FollowedFile) -> bool:
        """Leaves a chunk out; whether there may be more at once."""
        with suppress(MalformedRequest):  # the next reading reports it
            if chunk := file.read():
                file.offset = chunk.frames[-1].end
                self._advanced.add(file)
                return chunk.more
        return False

    def _save(self) -> None:
        """Makes the places that were reached durable."""
        try:
            self._note()
            if self._unsaved or self._positions.is_new:
                self._positions.save(self._present)
                self._unsaved = False
        except OSError as error:
            _log.error("the places reached in files cannot be kept: %s", error, extra={"component": self._name})

    def _note(self) -> None:
        """Tells the positions about the files that were read from, which must still be open."""
        while self._advanced:
            self._unsaved = True
            self._positions.update(self._advanced.pop().position())

    def _unread_bytes(self) -> int:
        return sum(file.unread_bytes for file in list(self._open.values()))
