"""What a server span leaves out: request id, requests in flight, event-loop lag, and the way of an exception."""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.trace import Span, get_current_span

from infersight import _attributes as names
from infersight._configure import dump_last_requests, force_flush, state
from infersight._context import remember_request
from infersight._eventloop import monitor_of_running_loop
from infersight._faults import report
from infersight._request import Request, current_request, forced, queue_seconds
from infersight.integrations.arrival import seconds_in_socket

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_REQUEST_ID_LENGTH: Final = 128


class EntryMiddleware:
    """ASGI middleware outside of the server span: what has to be settled before that begins."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Begin outside of every other request, and let whoever may force a request's detail do so."""
        is_forced = False
        try:
            _leave_finished_request()
            running = state.running
            if running is not None and scope["type"] == "http":
                queue_seconds.set(seconds_in_socket(receive))
                is_forced = running.forcing is not None and running.forcing.allows(scope)
        except Exception:  # noqa: BLE001 - the request is served in any case
            report("begin a request")
        # The request stays current until here, for what the middleware around it logs at its end.
        token = current_request.set(current_request.get())
        forced_token = forced.set(is_forced or forced.get())
        try:
            await self.app(scope, receive, send)
        finally:
            forced.reset(forced_token)
            current_request.reset(token)


def _leave_finished_request() -> None:
    """Forget a request that is over, in whose context this one was started.

    A server that stops reading a large body and goes on while its request runs registers the connection's reader in
    that request's context: every later request of the connection would be a child of that one's span.
    """
    request = current_request.get()
    if request is not None and request.is_over:
        current_request.set(None)
        forced.set(False)
        otel_context.attach(Context())  # for good: this task has a copy of the context for itself


class RequestMiddleware:
    """ASGI middleware inside the server span, pure ASGI: it neither buffers nor changes anything."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Observe one connection."""
        if state.telemetry is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self.app(scope, receive, _lifespan_send(send))
        else:
            await self._request(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = _ServerRequest(scope)
        # A FastAPI application that is mounted in this one would add a server span and metrics of its own.
        scope.setdefault("fastapi.telemetry", None)
        current_request.set(request.shared)  # until the outermost middleware is left
        otel_token = otel_context.attach(current_request.context(request.shared))

        async def observed_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                request.failed = message["status"] >= 500
            # The server span ends with the last part of the body, before the application returns.
            elif message["type"] == "http.response.body" and not message.get("more_body"):
                request.end()
            await send(message)

        try:
            await self.app(scope, receive, observed_send)
        except BaseException as error:
            request.failed = isinstance(error, Exception)
            # The server logs it outside of every span.
            remember_request(error, request.shared)
            raise
        finally:
            request.end()
            otel_context.detach(otel_token)


class _ServerRequest:
    """A request between its first and its last moment in the application."""

    def __init__(self, scope: Scope) -> None:
        self.span: Span = get_current_span()
        self.shared = Request(self.span)
        self.failed = False
        self._scope = scope
        self._began_ns = time.perf_counter_ns()
        self._monitor = None
        try:
            self._monitor = monitor_of_running_loop()
            self._open = self._monitor.open(self.span.get_span_context())
            self.shared.id = _request_id(scope)
            if self.span.is_recording():
                self.span.set_attribute(names.REQUESTS_IN_FLIGHT, self._monitor.in_flight)
                if (waited := queue_seconds.get()) is not None:
                    self.span.set_attribute(names.REQUEST_QUEUE_DURATION, waited)
                if self.shared.id:
                    self.span.set_attribute(names.REQUEST_ID, self.shared.id)
                if state.running is not None and state.running.recorder is not None:
                    self.shared.recording = state.running.recorder.begin(self.span, self.shared.id, forced=forced.get())
        except Exception:  # noqa: BLE001 - the request is served in any case
            report("observe a request")

    def end(self) -> None:
        """The response is complete, or the application failed; a second call does nothing."""
        self.shared.is_over = True
        monitor, self._monitor = self._monitor, None
        if monitor is None:
            return
        try:
            monitor.close(self._open)
            if self.span.is_recording():
                self.span.set_attribute(names.EVENT_LOOP_LAG, self._open.lag)
                if self._open.cpu_wait:
                    self.span.set_attribute(names.CPU_QUEUE_DURATION, self._open.cpu_wait)
                if self.shared.thread_wait_ns:
                    self.span.set_attribute(names.THREAD_POOL_DURATION, self.shared.thread_wait_ns * 1e-9)
                if paused_ns := _paused_ns(self._began_ns):
                    self.span.set_attribute(names.GC_DURATION, paused_ns * 1e-9)
            recording, self.shared.recording = self.shared.recording, None
            if recording is not None and state.running is not None and state.running.recorder is not None:
                state.running.recorder.end(recording, _route(self._scope), failed=self.failed)
        except Exception:  # noqa: BLE001 - the request is served in any case
            report("observe the end of a request")


def _paused_ns(since_ns: int) -> int:
    """How long the garbage collector stopped everything since then, in nanoseconds."""
    running = state.running
    return 0 if running is None or running.pauses is None else running.pauses.since(since_ns)


def _route(scope: Scope) -> str:
    """Method and route of a request, as few values as the application has routes; the route is found while serving."""
    return f"{scope.get('method', scope['type'])} {getattr(scope.get('route'), 'path', '')}"


def _request_id(scope: Scope) -> str:
    """The request's `X-Request-Id`, printable ASCII of limited length; empty without one."""
    for key, value in scope.get("headers", ()):
        if key == b"x-request-id":
            printable = (chr(byte) for byte in value[:_REQUEST_ID_LENGTH] if 0x20 <= byte < 0x7F)
            return "".join(printable).strip()
    return ""


def _lifespan_send(send: Send) -> Send:
    async def observed_send(message: Message) -> None:
        try:
            if message["type"] == "lifespan.startup.complete":
                monitor_of_running_loop()
                if state.running is not None:
                    state.running.logs.attach()  # to what the server configured since
            elif message["type"].startswith("lifespan.shutdown."):
                monitor_of_running_loop().stop()
                await asyncio.to_thread(dump_last_requests, "terminated")
                hooks = None if state.running is None else state.running.exit_hooks
                if hooks is None or not hooks.follows_server:
                    # A server may end by SIGTERM's default action after this: no atexit function will run.
                    await asyncio.to_thread(force_flush)
        except Exception:  # noqa: BLE001 - the application starts and stops in any case
            report("follow the application's lifespan")
        await send(message)

    return observed_send
