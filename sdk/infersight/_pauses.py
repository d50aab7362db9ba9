"""The pauses of the garbage collector."""

import gc
import time
from collections import deque
from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import Final

from infersight import _attributes as names

_LONG_PAUSE_NS: Final = 1_000_000
"""A shorter pause delays no request noticeably; it counts in the total time only."""

_PAUSES_KEPT: Final = 4_096
"""Long pauses between two collections of metrics; of more, the last ones."""

_PAUSES_REMEMBERED: Final = 256
"""Long pauses that a request which is open now may have seen; of more, the last ones."""

Readings = Iterable[tuple[float, Mapping[str, str | int]]]
"""Values of one metric, each with its attributes."""


class GcPauses:
    """Times each garbage collection.

    The callback may run at any allocation, also inside the metrics SDK while it holds its locks: so it keeps numbers,
    and records nothing itself.
    """

    def __init__(self) -> None:
        self._began_ns = 0
        self._total_ns = [0, 0, 0]
        self._long: deque[tuple[int, int]] = deque(maxlen=_PAUSES_KEPT)
        self._recent: deque[tuple[int, int]] = deque(maxlen=_PAUSES_REMEMBERED)
        gc.callbacks.append(self._step)

    def stop(self) -> None:
        """Time no further collection."""
        if self._step in gc.callbacks:
            gc.callbacks.remove(self._step)

    def totals(self) -> Readings:
        """Seconds spent in the collections of each generation."""
        return [(total * 1e-9, {names.GC_GENERATION: index}) for index, total in enumerate(self._total_ns)]

    def take_long(self) -> list[tuple[float, int]]:
        """Seconds and generation of each long pause since the last call."""
        return [(pause_ns * 1e-9, generation) for pause_ns, generation in _drained(self._long)]

    def since(self, moment_ns: int) -> int:
        """Nanoseconds of long pauses since a moment of `time.perf_counter_ns`; whatever ran then stood still."""
        # A copy, for a collection may start while it is gone through.
        pauses = reversed(self._recent.copy())
        return sum(end - max(begin, moment_ns) for begin, end in takewhile(lambda pause: pause[1] > moment_ns, pauses))

    def _step(self, phase: str, info: dict[str, int]) -> None:
        now = time.perf_counter_ns()
        if phase == "start":
            self._began_ns = now
        elif self._began_ns:
            pause_ns = now - self._began_ns
            self._total_ns[info["generation"]] += pause_ns
            if pause_ns >= _LONG_PAUSE_NS:
                self._long.append((pause_ns, info["generation"]))
                self._recent.append((self._began_ns, now))


def _drained(queue: deque[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    for _ in range(len(queue)):
        yield queue.popleft()
