"""The health endpoint: whether the collector lives, whether it takes telemetry, its state and its metrics."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from infersight_collector.config.values import HEALTH_ENDPOINT, Endpoint
from infersight_collector.http_exchange import Answer, Exchange
from infersight_collector.telemetry import CONTENT_TYPE, Telemetry

_TEXT: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class HealthConfig:
    """Configuration of the extension `health_check`."""

    endpoint: Endpoint = HEALTH_ENDPOINT


class HealthPages:
    """The handler of the health endpoint.

    Args:
        telemetry: what `/metrics` shows.
        unready: why no telemetry is taken at the moment, or None.
        state: what `/status` shows, an object for JSON.
    """

    def __init__(
        self, telemetry: Telemetry, unready: Callable[[], str | None], state: Callable[[], dict[str, Any]]
    ) -> None:
        self._telemetry = telemetry
        self._unready = unready
        self._state = state

    def __call__(self, exchange: Exchange) -> None:
        """Answers one request."""
        status, content_type, text = self._page(exchange.path)
        exchange.answer(Answer(status, content_type, text.encode()))

    def _page(self, path: str) -> tuple[int, str, str]:
        """Status code, media type and text."""
        match path:
            case "/live":
                return 200, _TEXT, "live\n"
            case "/ready":
                reason = self._unready()
                return (200, _TEXT, "ready\n") if reason is None else (503, _TEXT, f"not ready: {reason}\n")
            case "/status":
                return 200, "application/json", json.dumps(self._state()) + "\n"
            case "/metrics":
                return 200, CONTENT_TYPE, self._telemetry.render()
            case _:
                return 404, _TEXT, "here are /live, /ready, /status and /metrics\n"
