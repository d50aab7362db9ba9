"""Work that a request hands to a pool: how long it waits for a thread, and its trace in another process.

Where all threads of a pool are busy, work waits, and no span of the application says so: neither the one around the
call, which only took long, nor those inside, which begin when a thread is free. Threads keep the context by
opentelemetry-instrumentation-threading; processes get the trace here.
"""

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry.trace import get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from infersight import _attributes as names
from infersight._configure import state
from infersight._faults import report
from infersight._request import Request, current_request
from infersight._telemetry import Telemetry

_WORTH_A_SPAN_NS: Final = 5_000_000
"""Below it is the time in which the interpreter switches threads; all waits are in the request's sum."""

_PROPAGATOR: Final = TraceContextTextMapPropagator()


class _Waiting:
    """Work of a request that has no thread yet."""

    __slots__ = ("_began_monotonic_ns", "_began_ns", "_context", "_request", "_telemetry")

    def __init__(self, request: Request, telemetry: Telemetry) -> None:
        self._request = request
        self._telemetry = telemetry
        self._context = otel_context.get_current()
        self._began_ns = telemetry.time_ns()
        self._began_monotonic_ns = telemetry.monotonic_ns()

    def run(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Do the work, in the thread that it got."""
        try:
            self._got_thread(self._telemetry.monotonic_ns() - self._began_monotonic_ns)
        except Exception:  # noqa: BLE001 - the work is done in any case
            report("time the wait for a thread")
        recording = self._request.recording
        if recording is None or recording.stacks is None:
            return work(*args, **kwargs)
        with recording.stacks.in_this_thread():
            return work(*args, **kwargs)

    def _got_thread(self, waited_ns: int) -> None:
        self._request.waited_for_thread(waited_ns)
        parent = get_current_span(self._context)
        if waited_ns < _WORTH_A_SPAN_NS or self._telemetry.is_left_out(parent):
            return
        attributes = self._request.mark({names.OPERATION: names.OPERATION_THREAD_POOL}, self._context)
        span = self._telemetry.tracer.start_span(
            "thread pool", self._context, attributes=attributes, start_time=self._began_ns
        )
        span.end(self._began_ns + waited_ns)


def _waiting() -> _Waiting | None:
    """The work that is handed over now; None outside of a request, or when nothing is emitted."""
    request, telemetry = current_request.get(), state.telemetry
    return None if request is None or telemetry is None else _Waiting(request, telemetry)


class Pools:
    """Follows work into the pools of `concurrent.futures` and AnyIO (FastAPI's sync handlers), until `stop`."""

    def __init__(self) -> None:
        self._patched: list[tuple[Any, str, Any, Any]] = []
        self._running = True
        self._patch(ThreadPoolExecutor, "submit", _timed_submit)
        self._when_imported("anyio.to_thread", lambda module: self._patch(module, "run_sync", _timed_run_sync))
        self._when_imported(
            "concurrent.futures.process",
            lambda module: self._patch(module.ProcessPoolExecutor, "submit", _traced_submit),
        )

    def stop(self) -> None:
        """Undo it; what someone else has wrapped since stays, and only times."""
        self._running = False
        for owner, name, before, ours in reversed(self._patched):
            if getattr(owner, name) is ours:
                setattr(owner, name, before)
        self._patched.clear()

    def _patch(self, owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
        if self._running:
            before = getattr(owner, name)
            ours = wrap(before)
            setattr(owner, name, ours)
            self._patched.append((owner, name, before, ours))

    @staticmethod
    def _when_imported(module: str, patch: Callable[[Any], None]) -> None:
        if module in sys.modules:
            patch(sys.modules[module])
            return
        try:
            from wrapt import register_post_import_hook  # noqa: PLC0415 - comes with every instrumentation
        except ImportError:  # without any, no request is observed
            return
        register_post_import_hook(patch, module)


def _timed_submit(before: Callable[..., Future[Any]]) -> Callable[..., Future[Any]]:
    def submit(executor: Any, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        waiting = _waiting()
        if waiting is None:
            return before(executor, work, *args, **kwargs)
        return before(executor, waiting.run, work, *args, **kwargs)

    return submit


def _timed_run_sync(before: Callable[..., Any]) -> Callable[..., Any]:
    async def run_sync(work: Callable[..., Any], *args: Any, **options: Any) -> Any:
        waiting = _waiting()
        if waiting is None:
            return await before(work, *args, **options)
        return await before(waiting.run, work, *args, **options)

    return run_sync


def _traced_submit(before: Callable[..., Future[Any]]) -> Callable[..., Future[Any]]:
    def submit(executor: Any, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        carrier: dict[str, str] = {}
        if state.telemetry is not None:
            _PROPAGATOR.inject(carrier)
        if not carrier:
            return before(executor, work, *args, **kwargs)
        return before(executor, run_in_trace, carrier, work, *args, **kwargs)

    return submit


def run_in_trace(carrier: dict[str, str], work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Do work of a trace that another process began, which `carrier` names (`traceparent`, W3C Trace Context).

    Sent to the process by its name.
    """
    token = otel_context.attach(_PROPAGATOR.extract(carrier))
    try:
        return work(*args, **kwargs)
    finally:
        otel_context.detach(token)
