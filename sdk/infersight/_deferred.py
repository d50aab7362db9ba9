"""Spans that end later than their work: what a device did is known only once it has done it.

The request goes on at once; a thread asks every few milliseconds whether the device is there yet, and ends the span
then, with the times of its work. Bounded: so many spans wait at once, each for so long.
"""

import threading
import time
from contextlib import suppress
from queue import Empty, Full, Queue
from typing import Final, Protocol

from infersight._faults import report

_WAITING: Final = 1_000
"""Spans that wait at once; any more end at once, without what the device would have told."""

_PATIENCE_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.002
_HURRY_SECONDS: Final = 1.0
_IDLE_SECONDS: Final = 5.0
"""A thread that has had nothing to do for so long ends; the next span starts another, in a forked child too."""


class DeferredEnd(Protocol):
    """The end of a span whose device may still be at work."""

    def is_ready(self) -> bool:
        """Whether the device has done the work."""
        ...

    def complete(self, ready: bool) -> None:
        """End the span; called once. `ready` is False when the wait was given up."""
        ...


class _Barrier:
    """Takes its place among the spans to tell when all before it have ended."""

    def __init__(self) -> None:
        self.reached = threading.Event()

    def is_ready(self) -> bool:
        return True

    def complete(self, ready: bool) -> None:  # noqa: ARG002 - the protocol's argument
        self.reached.set()


class DeferredEnds:
    """Completes ends in the order in which they came, in a thread that lives while there are any.

    In that order because a device works in it too; a second device's spans may wait for the first's.
    """

    def __init__(self) -> None:
        self._waiting: Queue[tuple[DeferredEnd, float]] = Queue(_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._hurry = threading.Event()

    def add(self, end: DeferredEnd) -> None:
        """Complete the end when it is ready; at once where too many wait already."""
        if not self._put(end, 0.0):
            _complete(end, _is_ready(end))

    def drain(self, timeout: float) -> bool:
        """Wait until all ends that were added before are complete, at most `timeout` seconds; whether they are."""
        if self._waiting.unfinished_tasks == 0:
            return True
        deadline = time.monotonic() + timeout
        barrier = _Barrier()
        return self._put(barrier, timeout) and barrier.reached.wait(deadline - time.monotonic())

    def stop(self, timeout: float) -> None:
        """As `drain`; what is not ready by then is completed as it is."""
        if not self.drain(timeout):
            self._hurry.set()
            self.drain(_HURRY_SECONDS)

    def _put(self, end: DeferredEnd, timeout: float) -> bool:
        try:
            self._waiting.put((end, time.monotonic() + _PATIENCE_SECONDS), timeout > 0, timeout)
        except Full:
            return False
        try:
            with self._lock:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._run, name="infersight-deferred", daemon=True)
                    self._thread.start()
        except RuntimeError:  # the interpreter shuts down, from Python 3.12 on without new threads
            self._end_here()
        return True

    def _end_here(self) -> None:
        with suppress(Empty):
            while True:
                end, _ = self._waiting.get_nowait()
                _complete(end, _is_ready(end))
                self._waiting.task_done()

    def _run(self) -> None:
        while True:
            try:
                end, deadline = self._waiting.get(timeout=_IDLE_SECONDS)
            except Empty:
                with self._lock:  # who puts something now starts a thread afterwards
                    if self._waiting.empty():
                        self._thread = None
                        return
                continue
            ready = _is_ready(end)
            while not ready and time.monotonic() < deadline and not self._hurry.wait(_POLL_SECONDS):
                ready = _is_ready(end)
            _complete(end, ready)
            self._waiting.task_done()


def _is_ready(end: DeferredEnd) -> bool:
    try:
        return end.is_ready()
    except Exception:  # noqa: BLE001 - a device in an error state must not stop the thread
        report("ask a device whether it is ready")
        return False


def _complete(end: DeferredEnd, ready: bool) -> None:
    try:
        end.complete(ready)
    except Exception:  # noqa: BLE001 - the next span is not to blame
        report("end a span with what its device did")
