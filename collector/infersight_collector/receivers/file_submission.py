"""From the requests in a file to the log: joined, and tried again while there is no room; others are reported."""

import logging
import threading
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from infersight_collector.component import Receipt, RequestSink
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
        waiting = [part for frame in frames for part in self._found(path, frame, split, unfinished=unfinished)]
        end = waiting[-1].end if waiting else 0
        pause = _FIRST_PAUSE_S
        while waiting:
            refused = self._submit(path, waiting)
            if not refused:
                yield end
            elif refused[0]:
                yield waiting[refused[0] - 1].end
            waiting = [waiting[place] for place in refused]
            if waiting and self._stopping.wait(pause):
                raise Stopped
            pause = min(2 * pause, _MAX_PAUSE_S)

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
        for place, (signal, request) in enumerate(requests, 1):
            end = frame.end if place == len(requests) else frame.start
            if signal in self._signals:
                yield _Found(signal, request, end)
            else:
                _log.warning(
                    "%s: %s are skipped: no pipeline of them has this receiver", path, signal, extra=self._extra
                )
                self._sink.refused(signal, "no_pipeline")
                yield _Found(None, b"", end)
        if not requests:
            yield _Found(None, b"", frame.end)

    def _submit(self, path: Path, parts: Sequence[_Found]) -> list[int]:
        """Hands requests over by one write; the places of those that there was no room for."""
        places = [place for place, part in enumerate(parts) if part.signal is not None]
        requests = [(part.signal, part.request) for part in parts if part.signal is not None]
        outcomes: Sequence[Receipt | Exception] = self._sink.submit_all(requests) if requests else ()
        refused: list[int] = []
        for place, (signal, _), outcome in zip(places, requests, outcomes, strict=True):
            match outcome:
                case Receipt():
                    if outcome.rejected:
                        message = "%s: %d records are left out: %s"
                        _log.warning(message, path, outcome.rejected, outcome.message, extra=self._extra)
                    continue
                case Overloaded() | StoreUnavailable():
                    refused.append(place)
                    _log.warning("%s waits, there is no room: %s", path, outcome, extra=self._extra)
                case _:
                    # Nothing of the request is told, which the text of an unforeseen error might do.
                    what = outcome if isinstance(outcome, TooLarge) else type(outcome).__name__
                    _log.warning("%s: a request is skipped: %s", path, what, extra=self._extra)
            self._sink.refused(signal, Refusal.of(outcome).reason)
        return refused
