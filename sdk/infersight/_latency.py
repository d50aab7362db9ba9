"""How long the requests of each route took of late, and which one is slow among them."""

import threading
from collections import deque
from typing import Final

_RECENT: Final = 1_000
"""Requests of a route that are remembered."""

_ENOUGH: Final = 100
"""Fewer have no 99th percentile worth the name."""

_BETWEEN: Final = 50
"""Requests between two looks at all of them: sorting 1 000 numbers takes 50 us."""

_ROUTES: Final = 256
"""Routes that are told apart; the rest share one."""


class _Route:
    def __init__(self) -> None:
        self.durations: deque[float] = deque(maxlen=_RECENT)
        self.p99 = float("inf")
        self.until_look = _ENOUGH

    def add(self, seconds: float) -> None:
        self.durations.append(seconds)
        self.until_look -= 1
        if self.until_look == 0:
            self.until_look = _BETWEEN
            self.p99 = sorted(self.durations)[int(0.99 * (len(self.durations) - 1))]


class RouteLatency:
    """Judges each request by those of its own route that came before it.

    Args:
        slow_seconds: what is slow on any route; None for no such limit.
    """

    def __init__(self, slow_seconds: float | None) -> None:
        self._slow_seconds = float("inf") if slow_seconds is None else slow_seconds
        self._lock = threading.Lock()
        self._routes: dict[str, _Route] = {}

    def is_slow(self, route: str, seconds: float) -> bool:
        """Whether the request took longer than the limit, or than 99 of 100 recent ones of its route; count it."""
        with self._lock:
            known = self._routes.get(route)
            if known is None:
                key = route if len(self._routes) < _ROUTES else ""
                known = self._routes.setdefault(key, _Route())
            slow = seconds > self._slow_seconds or seconds > known.p99
            known.add(seconds)
        return slow
