"""FastAPI: server spans by opentelemetry-instrumentation-fastapi, and our middleware inside them."""

from typing import TYPE_CHECKING, Any

from infersight._configure import is_off
from infersight._errors import MissingExtraError
from infersight._faults import report
from infersight.integrations import use_stable_conventions

if TYPE_CHECKING:
    from fastapi import FastAPI


def instrument_every_fastapi() -> None:
    """Observe every application of this process from its first call on, without its doing: for zero-code starts.

    One that is mounted in another is a part of that one's requests.
    """
    from wrapt import register_post_import_hook  # noqa: PLC0415 - comes with every instrumentation

    register_post_import_hook(lambda module: _observe_at_first_call(module.FastAPI), "fastapi.applications")


def _observe_at_first_call(kind: "type[FastAPI]") -> None:
    call = kind.__call__

    # A coroutine function, for by that servers know an ASGI application of version 3.
    async def observed_call(self: "FastAPI", scope: Any, receive: Any, send: Any) -> None:
        if self.middleware_stack is None and "app" not in scope:  # what Starlette sets around a mounted one
            try:
                instrument_fastapi(self)
            except Exception:  # noqa: BLE001 - the application runs in any case
                report("instrument an application")
        await call(self, scope, receive, send)

    kind.__call__ = observed_call  # type: ignore[method-assign] # each application's first call is the moment


def instrument_fastapi(app: "FastAPI") -> None:
    """Observe every request of the application: call it after making the app, before it starts.

    Server spans and metrics are those of opentelemetry-instrumentation-fastapi with the stable HTTP conventions
    (its variables work: `OTEL_PYTHON_FASTAPI_EXCLUDED_URLS` leaves out health checks), without a span for each
    ASGI message. An application that is instrumented already keeps that. Each server span gets the request id
    (`X-Request-Id`), the number of requests in flight and the event loop's lag beside.

    Args:
        app: the application. Middleware added later is outside ours.

    Raises:
        MissingExtraError: the `fastapi` extra is not installed.
    """
    if is_off():
        return
    # Imported here, so that `import infersight` needs neither FastAPI nor asyncio.
    from infersight.integrations.asgi import EntryMiddleware, RequestMiddleware  # noqa: PLC0415

    try:
        from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("instrument_fastapi", "fastapi") from None
    classes: list[object] = [middleware.cls for middleware in app.user_middleware]
    if RequestMiddleware in classes:
        return
    use_stable_conventions()
    try:
        app.add_middleware(RequestMiddleware)
        if not getattr(app, "_is_instrumented_by_opentelemetry", False):
            FastAPIInstrumentor.instrument_app(app, exclude_spans=["receive", "send"])
        build = app.build_middleware_stack
        # Around the server span, where no middleware that is added can be.
        app.build_middleware_stack = lambda: EntryMiddleware(build())  # type: ignore[method-assign] # as OpenTelemetry does
    except Exception:  # noqa: BLE001 - the application starts in any case
        report("instrument the application")
