"""How much of the time goes into some work."""

import time
from collections.abc import Callable


class Workload:
    """Measures the share of the time that the work of one thread takes.

    Whoever asks for the share may be another thread; what ends in that moment may be missed, or count twice.

    Args:
        clock: monotonic time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = self._looked = clock()
        self._working_s = 0.0  # since the last look

    def begin(self) -> None:
        """The work begins; if it has begun already, anew."""
        self._began = self._clock()

    def end(self) -> None:
        """The work is done."""
        self._working_s += self._clock() - self._began

    def share(self) -> float:
        """The share of the time since the last look, or since the beginning; what has not ended does not count."""
        now = self._clock()
        passed, self._looked = now - self._looked, now
        working, self._working_s = self._working_s, 0.0
        return working / passed if passed > 0 else 0.0
