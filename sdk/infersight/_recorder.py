"""The flight recorder: which requests are recorded, and which of them are worth sending."""

import sys
import threading
from collections import deque
from types import TracebackType
from typing import Final

from opentelemetry.trace import Span

from infersight import _attributes as names
from infersight._black_box import BlackBox
from infersight._config import Options
from infersight._faults import report
from infersight._latency import RouteLatency
from infersight._log_tap import LogTap
from infersight._providers import Providers
from infersight._recording import Recording, Replay
from infersight._redact import Redactor
from infersight._stacks import StackSampler
from infersight._telemetry import Telemetry

OPEN_REQUESTS: Final = 256
"""Requests that are recorded at once; any more are served without. Bounds the memory, as `ENTRIES` does."""

FORCED: Final = "forced"
FAILED: Final = "failed"
SLOW: Final = "slow"
PERIODIC: Final = "periodic"

_DUMP_SECONDS: Final = 5.0
"""How long the end of a process may wait for its file."""


class Recorder:
    """Records requests from their beginning to their end, until `stop`."""

    def __init__(self, options: Options, telemetry: Telemetry, providers: Providers, redactor: Redactor | None) -> None:
        self._telemetry = telemetry
        self._providers = providers
        self._latency = RouteLatency(options.slow_seconds)
        self._profile_rate = options.profile_rate
        self._every, self._ended = options.recorder_every, 0
        self._sampler = self._new_sampler()
        self._open: set[Recording] = set()
        self._box = None if options.recorder_dir is None else BlackBox(options.recorder_dir, providers, redactor)
        self._last: deque[Recording] = deque()
        self._kept = 0 if self._box is None else options.recorder_requests
        self._of_trace: dict[int, Recording] = {}
        self._tap = LogTap()
        self._excepthook_before = sys.excepthook
        sys.excepthook = self._on_fatal

    def stop(self) -> None:
        """Close the loggers again, look at no more stacks, and watch no more for the fatal exception."""
        if self._sampler is not None:
            self._sampler.stop()
        self._tap.remove()
        if sys.excepthook == self._on_fatal:
            sys.excepthook = self._excepthook_before

    def begin(self, span: Span, request_id: str, *, forced: bool) -> Recording | None:
        """Record a request from now on; None where it is not sampled, or too many are open."""
        if not span.get_span_context().trace_flags.sampled or len(self._open) >= OPEN_REQUESTS:
            return None
        began_ns = self._telemetry.monotonic_ns()
        stacks = None if self._sampler is None else self._sampler.begin()
        keeps_sent = self._box is not None
        recording = Recording(span, request_id, began_ns, forced=forced, keeps_sent=keeps_sent, stacks=stacks)
        self._open.add(recording)
        if self._box is not None:
            self._of_trace[recording.trace_id] = recording
        return recording

    def recording_of(self, trace_id: int) -> Recording | None:
        """The newest recording of this trace, of open requests and the last ones; None without a folder for them."""
        return self._of_trace.get(trace_id)

    def end(self, recording: Recording, route: str, *, failed: bool) -> None:
        """The request ends: its detail is sent, or forgotten. Its server span is still open."""
        self._open.discard(recording)
        if self._sampler is not None and recording.stacks is not None:
            self._sampler.end(recording.stacks)
        elapsed = (self._telemetry.monotonic_ns() - recording.began_ns) * 1e-9
        slow = self._latency.is_slow(route, elapsed)
        reason = FORCED if recording.forced else FAILED if failed else SLOW if slow else self._periodic()
        self._remember(recording)
        if reason is None:
            return
        recording.span.set_attribute(names.RECORDER_REASON, reason)
        if recording.dropped:
            recording.span.set_attribute(names.RECORDER_DROPPED, recording.dropped)
        if recording.entries or (recording.stacks is not None and recording.stacks.samples):
            replay = Replay(recording, self._telemetry.tracer, self._providers.logger, reason)
            self._telemetry.deferred.add(_Sending(replay))

    def _periodic(self) -> str | None:
        """Every so manieth request that is worth nothing else; about, where two threads count at once."""
        self._ended += 1
        return PERIODIC if self._every and self._ended % self._every == 0 else None

    def _new_sampler(self) -> StackSampler | None:
        return StackSampler(self._profile_rate, self._telemetry.monotonic_ns) if self._profile_rate else None

    def forget(self) -> None:
        """Begin anew in a forked child: the requests are the parent's, and so was the thread that looked at them."""
        self._open.clear()
        self._sampler = self._new_sampler()

    def _remember(self, recording: Recording) -> None:
        """Keep it as one of the last requests, and forget the oldest of those."""
        self._last.append(recording)
        while len(self._last) > self._kept:
            oldest = self._last.popleft()
            if self._of_trace.get(oldest.trace_id) is oldest:
                del self._of_trace[oldest.trace_id]

    def dump(self, reason: str, *, wait: bool = True) -> None:
        """Write the last requests, and those that are open, to a file; nothing where no folder is configured.

        Args:
            reason: why, `infersight.recorder.dump`.
            wait: whether to wait until it is written, a few seconds at most.
        """
        if self._box is None:
            return
        box, recordings = self._box, [*self._last, *self._open]
        # In a thread of its own: a signal handler may have interrupted this one while it held any lock.
        thread = threading.Thread(target=box.write, args=(recordings, reason), name="infersight-recorder", daemon=True)
        thread.start()
        if wait:
            thread.join(_DUMP_SECONDS)

    def _on_fatal(self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        try:
            if not issubclass(kind, KeyboardInterrupt):
                self.dump("exception")
        except Exception:  # noqa: BLE001 - the exception is shown in any case
            report("write the last requests")
        self._excepthook_before(kind, error, traceback)


class _Sending:
    """Sends the detail of a request on the thread of deferred ends, off the request's way."""

    def __init__(self, replay: Replay) -> None:
        self._replay = replay

    def is_ready(self) -> bool:
        return True

    def complete(self, ready: bool) -> None:  # noqa: ARG002 - the protocol's argument
        self._replay.run()
