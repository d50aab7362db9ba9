"""Files that may change while the collector runs: looked at at most once a second."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

_INTERVAL_S: Final = 1.0


class WatchedFiles:
    """Tells when files were replaced or rewritten.

    Args:
        paths: the files.
        clock: gives the time, in seconds.
    """

    def __init__(self, paths: Sequence[Path], clock: Callable[[], float] = time.monotonic) -> None:
        self._paths = paths
        self._clock = clock
        self._seen = self._state()
        self._next = clock() + _INTERVAL_S

    def changed(self) -> bool:
        """Whether one of them is another one than when this was asked (and answered by looking) the last time."""
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + _INTERVAL_S
        before, self._seen = self._seen, self._state()
        return before != self._seen

    def _state(self) -> list[tuple[int, int, int] | None]:
        return [_identity(path) for path in self._paths]


def _identity(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
