"""From the requests in a file to the log: joined, and tried again while there is no room; others are reported."""

import logging
import threading
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

from infersight_collector.component import RequestSink
from infersight_collector.errors import MalformedRequest, Overloaded, TooLarge
from infersight_collector.receivers.file_frames import Frame, Split, requests_of
from infersight_collector.receivers.refusal import Refusal
from infersight_collector.signals import Signal
from infersight_collector.store.errors import StoreUnavailable

_log = logging.getLogger(__name__)

_FIRST_PAUSE_S: Final = 0.2
_MAX_PAUSE_S: Final = 5.0
"""Pauses before a request that there was no room for is tried again: doubled up to the longest."""


class Stopped(Exception):  # noqa: N818 - it is no error
    """The receiver is to end while there is no room for a request."""


class _Found(NamedTuple):
    """A request, or with no signal what holds none; `end` is the place in the file that is reached with it."""

    signal: Signal | None
    request: bytes
    end: int


class Submission:
    """Hands the requests of files over.

    Args:
        sink: keeps requests durably.
        signals: what has a pipeline; other requests are left out.
        stopping: set when the receiver is to end.
        component: name of the receiver, for the log.
    """

    def __init__(
        self, sink: RequestSink, signals: Collection[Signal], stopping: threading.Event, component: str
    ) -> None:
        self._sink = sink
        self._signals = signals
        self._stopping = stopping
        self._extra = {"component": component}

    def take(self, path: Path, frames: Sequence[Frame], split: Split, *, unfinished: bool = False) -> Iterator[int]:
        """Takes the requests of a file over, and gives each place in the file up to which that is done.

        Args:
            path: the file.
            frames: what was read of it.
            split: its form.
            unfinished: the frame may be the beginning of a line: then it is left alone.

        Raises:
            Stopped: the receiver is to end; the rest is not taken.
        """
        found = (part for frame in frames for part in self._found(path, frame, split, unfinished=unfinished))
        for signal, run in groupby(found, key=lambda part: part.signal):
            parts = list(run)
            if signal is not None:
                self._submit(path, signal, [part.request for part in parts])
            yield parts[-1].end

    def report(self, path: Path, error: MalformedRequest, offset: int, consequence: str) -> None:
        """Logs and counts what is no request; nothing of the file's content is told."""
        # Behind a colon, a reason quotes what it complains about.
        reason = error.reason.partition(":")[0]
        _log.warning("%s: %s at byte %d: %s", path, reason, offset, consequence, extra=self._extra)
        self._sink.refused(min(self._signals), "malformed")

    def _found(self, path: Path, frame: Frame, split: Split, *, unfinished: bool) -> Iterator[_Found]:
        try:
            requests = requests_of(frame.content, split, path)
        except MalformedRequest as error:
            if not unfinished:
                self.report(path, error, frame.start + error.offset, "skipped")
                yield _Found(None, b"", frame.end)
            return
        for signal, request in requests:
            if signal in self._signals:
                yield _Found(signal, request, frame.start)
            else:
                _log.warning(
                    "%s: %s are skipped: no pipeline of them has this receiver", path, signal, extra=self._extra
                )
                self._sink.refused(signal, "no_pipeline")
        yield _Found(requests[-1][0] if requests else None, b"", frame.end)

    def _submit(self, path: Path, signal: Signal, requests: Sequence[bytes]) -> None:
        """Submits requests as one, for one sync; one by one where they do not go together."""
        try:
            self._persist(signal, b"".join(requests))
        except (MalformedRequest, TooLarge):
            for request in requests:
                try:
                    self._persist(signal, request)
                except MalformedRequest as error:
                    self.report(path, error, 0, "a request in it is skipped")
                except TooLarge as error:
                    _log.warning("%s: a request in it is skipped: %s", path, error, extra=self._extra)
                    self._sink.refused(signal, Refusal.of(error).reason)

    def _persist(self, signal: Signal, request: bytes) -> None:
        pause = _FIRST_PAUSE_S
        while True:
            try:
                receipt = self._sink.submit(signal, request)
            except (Overloaded, StoreUnavailable) as error:
                self._sink.refused(signal, Refusal.of(error).reason)
                _log.warning("waits with a request from a file: %s", error, extra=self._extra)
            else:
                if receipt.rejected:
                    _log.warning(
                        "%d records from a file are left out: %s", receipt.rejected, receipt.message, extra=self._extra
                    )
                return
            if self._stopping.wait(pause):
                raise Stopped
            pause = min(2 * pause, _MAX_PAUSE_S)
