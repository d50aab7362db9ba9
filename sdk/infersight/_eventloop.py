"""How late the event loop runs, which requests waited for it, and what blocked it.

A heartbeat on the loop measures how much later than due it ran (the lag). A watchdog thread notices a heartbeat that
stays out, looks at what the loop's thread is doing, and says so once the loop runs again.
"""

import asyncio
import contextvars
import os
import sys
import sysconfig
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final
from weakref import WeakKeyDictionary

from opentelemetry._logs import SeverityNumber
from opentelemetry.trace import SpanContext, get_current_span

from infersight import _attributes as names
from infersight._config import DEFAULT_BLOCKED_SECONDS
from infersight._configure import state
from infersight._context import context_of
from infersight._faults import report
from infersight._runqueue import RunQueue
from infersight._values import text

_HEARTBEAT_SECONDS: Final = 0.05
_CHECKS_PER_THRESHOLD: Final = 2
"""A block of one and a half thresholds is always seen in the act; more checks cost more than they show."""

_STANDARD_LIBRARY: Final = (sysconfig.get_path("stdlib"), "<frozen ")
_ASYNCIO: Final = str(Path(asyncio.__file__).parent)
_LOOP_FUNCTIONS: Final = frozenset({"run", "run_until_complete", "run_forever", "_run_once", "_run"})
"""Of asyncio: what runs the loop, and what the loop runs its callbacks with; uvloop has no such frames of its own."""

_INSTALLED: Final = ("/site-packages/", "/dist-packages/", f"{Path(__file__).parent}{os.sep}")
"""What is no code of the application; this package wherever it is."""


class OpenRequest:
    """A request while it is open: the longest lag, and how long the loop's thread waited for a CPU, in seconds."""

    __slots__ = ("_began", "cpu_wait", "lag")

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.lag = 0.0
        self.cpu_wait = 0.0

    def saw(self, lag: float, now: float) -> None:
        """Take a lag into account that ends now; no more of it than the request was there for."""
        self.lag = max(self.lag, min(lag, now - self._began))

    def waited(self, seconds: float, now: float) -> None:
        """Take a wait for a CPU into account, up to now; no more of it than the request was there for."""
        self.cpu_wait += min(seconds, now - self._began)


@dataclass(frozen=True)
class _Block:
    """The loop's thread, caught while a heartbeat was overdue."""

    due: float
    stack: traceback.StackSummary
    span: SpanContext | None


class EventLoopMonitor:
    """Watches one running event loop until it is closed; made by `monitor_of_running_loop`, on the loop's thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, blocked_seconds: float) -> None:
        self._loop = loop
        self._blocked_seconds = blocked_seconds
        self._thread_id = threading.get_ident()
        self._requests: set[OpenRequest] = set()
        self._request_of_task: WeakKeyDictionary[asyncio.Task[object], SpanContext] = WeakKeyDictionary()
        # The first request's context must not stay current in every heartbeat after it.
        self._context = contextvars.Context()
        self._run_queue = RunQueue()
        self._waited = 0.0  # for a CPU, since the last heartbeat
        self._last_late = self._last_waited = 0.0
        self._stopped = threading.Event()
        self._schedule()
        threading.Thread(target=self._watch, name="infersight-event-loop", daemon=True).start()

    def open(self, span: SpanContext) -> OpenRequest:
        """A request began in the current task, with this server span."""
        request = OpenRequest()
        self._requests.add(request)
        task = asyncio.current_task(self._loop)
        if task is not None and span.is_valid:
            self._request_of_task[task] = span
        return request

    def close(self, request: OpenRequest) -> None:
        """The request ends; a heartbeat that is overdue now counts, for the request itself may have blocked it."""
        now = time.monotonic()
        if now > self._due:
            request.saw(now - self._due, now)
            self._count_waits(now)
        self._requests.discard(request)

    @property
    def in_flight(self) -> int:
        """Requests that are open on this loop."""
        return len(self._requests)

    def stop(self) -> None:
        """End the heartbeat and the watchdog."""
        self._stopped.set()
        self._handle.cancel()

    def _count_waits(self, now: float) -> None:
        """Charge the open requests with what the loop's thread waited for a CPU since this was done before."""
        waited = self._run_queue.waited()
        self._waited += waited
        for request in self._requests:
            request.waited(waited, now)

    def _schedule(self) -> None:
        self._due = time.monotonic() + _HEARTBEAT_SECONDS
        self._handle = self._loop.call_later(_HEARTBEAT_SECONDS, self._beat, context=self._context)

    def _beat(self) -> None:
        now = time.monotonic()
        lag = max(0.0, now - self._due)
        for request in self._requests:
            request.saw(lag, now)
        self._count_waits(now)
        if lag > self._blocked_seconds:
            self._last_late, self._last_waited = lag, min(lag, self._waited)
        self._waited = 0.0
        self._schedule()
        try:
            if state.telemetry is not None:
                state.telemetry.loop_lag.record(lag, sampled=False)
        except Exception:  # noqa: BLE001 - the heart goes on
            report("record the lag of the event loop")

    def _watch(self) -> None:
        block: _Block | None = None
        while not self._stopped.wait(self._blocked_seconds / _CHECKS_PER_THRESHOLD) and not self._loop.is_closed():
            due = self._due
            try:
                if block is not None and block.due != due:
                    self._emit(block, self._last_late, self._last_waited)
                    block = None
                if block is None and time.monotonic() - due > self._blocked_seconds:
                    block = self._catch(due)
            except Exception:  # noqa: BLE001 - the watch goes on
                report("look at a blocked event loop")

    def _catch(self, due: float) -> _Block | None:
        frame = sys._current_frames().get(self._thread_id)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - documented, for this use
        if frame is None:
            return None
        task = asyncio.current_task(self._loop)
        request = None if task is None else self._request_of_task.get(task)
        spans = (context.copy().run(get_current_span).get_span_context() for context in _contexts(frame, task))
        span = next((span for span in spans if span.is_valid), request)
        return _Block(due, traceback.extract_stack(frame), span)

    def _emit(self, block: _Block, lag: float, waited: float) -> None:
        telemetry = state.telemetry
        if telemetry is None or not block.stack:
            return
        culprit = responsible_frame(block.stack)
        telemetry.emit_event(
            names.EVENT_LOOP_BLOCKED,
            SeverityNumber.WARN,
            f"the event loop was blocked for {lag:.3f} s in {culprit.name} ({culprit.filename}:{culprit.lineno})",
            {
                names.EVENT_LOOP_LAG: lag,
                names.CPU_QUEUE_DURATION: waited,
                names.CODE_STACKTRACE: text("".join(block.stack.format())),
                names.CODE_FUNCTION_NAME: culprit.name,
                names.CODE_FILE_PATH: text(culprit.filename),
                names.CODE_LINE_NUMBER: culprit.lineno,
            },
            context_of(block.span),
        )


def _contexts(frame: FrameType, task: asyncio.Task[object] | None) -> Iterator[contextvars.Context]:
    """The context in which the loop's thread runs, as far as it can be told from another thread.

    A task says it from Python 3.12 on. Before, asyncio's own loop has it in the frame that runs the callback; uvloop
    has no such frame.
    """
    if sys.version_info >= (3, 12) and task is not None:
        yield task.get_context()
    outer: FrameType | None = frame
    while outer is not None:
        if outer.f_code is asyncio.Handle._run.__code__:  # noqa: SLF001 - see above
            yield outer.f_locals["self"]._context  # noqa: SLF001 - see above
        outer = outer.f_back


def responsible_frame(stack: traceback.StackSummary) -> traceback.FrameSummary:
    """The innermost frame of the application's own code; of an installed package, or any, where there is none.

    What started the loop (the command, `python -c`) is not what blocked it: only the frames inside of it count.

    Args:
        stack: outermost frame first; not empty.
    """
    of_loop = [position for position, frame in enumerate(stack) if _runs_loop(frame)]
    inside = list(stack)[of_loop[-1] + 1 if of_loop else 0 :]
    outside_library = [
        frame for frame in inside if _is_installed(frame) or not frame.filename.startswith(_STANDARD_LIBRARY)
    ]
    own = [frame for frame in outside_library if not _is_installed(frame)]
    return (own or outside_library or stack)[-1]


def _runs_loop(frame: traceback.FrameSummary) -> bool:
    return frame.name in _LOOP_FUNCTIONS and frame.filename.startswith(_ASYNCIO)


def _is_installed(frame: traceback.FrameSummary) -> bool:
    return any(folder in frame.filename for folder in _INSTALLED)


def monitor_of_running_loop() -> EventLoopMonitor:
    """The monitor of the running loop, started when it has none yet.

    Raises:
        RuntimeError: no asyncio event loop is running in this thread.
    """
    loop = asyncio.get_running_loop()
    monitor = state.monitors.get(loop)
    if monitor is None:
        blocked_seconds = DEFAULT_BLOCKED_SECONDS if state.options is None else state.options.blocked_seconds
        monitor = state.monitors[loop] = EventLoopMonitor(loop, blocked_seconds)
    return monitor
