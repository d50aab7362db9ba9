"""The health endpoint: whether the collector lives, whether it takes telemetry, and its counters."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infersight_collector.config.values import Endpoint
from infersight_collector.telemetry import CONTENT_TYPE, Telemetry

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope


@dataclass(frozen=True)
class HealthConfig:
    """Configuration of the extension `health_check`."""

    endpoint: Endpoint = Endpoint("127.0.0.1", 13133)  # noqa: RUF009 - frozen


class HealthApplication:
    """The ASGI application of the health endpoint.

    Args:
        telemetry: what `/metrics` shows.
        unready: why no telemetry is taken at the moment, or None.
    """

    def __init__(self, telemetry: Telemetry, unready: Callable[[], str | None]) -> None:
        self._telemetry = telemetry
        self._unready = unready

    async def __call__(self, scope: "Scope", receive: "ASGIReceiveCallable", send: "ASGISendCallable") -> None:  # noqa: ARG002 - the signature is ASGI's
        """Answers one request."""
        if scope["type"] != "http":
            return
        status, text = self._page(scope["path"])
        body = text.encode()
        headers = [(b"content-type", CONTENT_TYPE.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers, "trailers": False})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    def _page(self, path: str) -> tuple[int, str]:
        match path:
            case "/live":
                return 200, "live\n"
            case "/ready":
                reason = self._unready()
                return (200, "ready\n") if reason is None else (503, f"not ready: {reason}\n")
            case "/metrics":
                return 200, self._telemetry.render()
            case _:
                return 404, "here are /live, /ready and /metrics\n"
