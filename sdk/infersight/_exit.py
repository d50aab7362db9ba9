"""Telemetry of a process that ends: normally, by SIGTERM, or as a forked `multiprocessing` child.

A server that handles SIGTERM itself (uvicorn, gunicorn) keeps its handler. Where uvicorn then ends by the signal's
default action, past every `atexit` function, its own shutdown is followed.
"""

import atexit
import multiprocessing.util
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final

from infersight.integrations.uvicorn import follow_server, server_of


class ExitHooks:
    """Calls functions before the process ends.

    Args:
        shutdown: called at any end; harmless when it was called before.
        terminated: called instead at SIGTERM, where that has no handler yet.
        flush: called when a server that handles SIGTERM has shut down; whether it sent everything.
    """

    def __init__(self, shutdown: Callable[[], None], terminated: Callable[[], None], flush: Callable[[], bool]) -> None:
        self._shutdown = shutdown
        self._terminated = terminated
        atexit.register(shutdown)
        # A forked child of multiprocessing leaves by os._exit, which runs its finalizers and no atexit function.
        multiprocessing.util.register_after_fork(self, ExitHooks._in_child)
        handler = signal.getsignal(signal.SIGTERM)
        self._handles_sigterm = threading.current_thread() is threading.main_thread() and handler == signal.SIG_DFL
        if self._handles_sigterm:
            signal.signal(signal.SIGTERM, self._on_sigterm)
        server = server_of(handler)
        self.follows_server: Final = server is not None
        """Whether telemetry is flushed when a server has shut down, after the end of the ASGI lifespan."""
        if server is not None:
            follow_server(server, flush)

    def remove(self) -> None:
        """Undo it."""
        atexit.unregister(self._shutdown)
        if (
            self._handles_sigterm
            and threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGTERM) == self._on_sigterm
        ):
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def _in_child(self) -> None:
        multiprocessing.util.Finalize(None, self._shutdown, exitpriority=0)

    def _on_sigterm(self, number: int, _frame: FrameType | None) -> None:
        self._terminated()
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)
