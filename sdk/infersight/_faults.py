"""What happens when the SDK itself fails: the caller never notices, a log line does, and tests raise.

Every entry of ours into a user's code path catches `Exception` and calls `report` from its handler.
"""

import logging
import threading
import time
from typing import Final

_LOG: Final = logging.getLogger("infersight")
_SECONDS_BETWEEN_REPORTS: Final = 60.0


class _Faults:
    def __init__(self) -> None:
        self.raised = False
        self._lock = threading.Lock()
        self._reported: dict[str, float] = {}

    def forget(self) -> None:
        with self._lock:
            self._reported.clear()

    def is_due(self, where: str) -> bool:
        now = time.monotonic()
        with self._lock:
            last = self._reported.get(where)
            if last is not None and now - last < _SECONDS_BETWEEN_REPORTS:
                return False
            self._reported[where] = now
            return True


_faults = _Faults()


def raise_faults(raised: bool) -> bool:
    """Switch between raising faults (tests) and reporting them, each anew; return what it was before."""
    before = _faults.raised
    _faults.raised = raised
    _faults.forget()
    return before


def report(where: str) -> None:
    """Called while handling an exception of ours: log it at most once a minute for each `where`, or raise it.

    Args:
        where: what could not be done, as in "infersight could not WHERE"; a constant.
    """
    if _faults.raised:
        raise  # noqa: PLE0704 - this function is called in the handler of the exception that it raises again
    if _faults.is_due(where):
        _LOG.warning("infersight could not %s; the application is not affected", where, exc_info=True)
