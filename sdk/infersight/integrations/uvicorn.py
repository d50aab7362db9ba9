"""uvicorn: sending what its last moments emit, after which it ends past every `atexit` function.

uvicorn imports an application after it has put its handler of SIGTERM in place; at its end it restores the handler
from before, which is the signal's default action, and raises the signal again.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from infersight._faults import report

_LOG: Final = logging.getLogger("uvicorn.error")


def server_of(sigterm_handler: object) -> Any | None:
    """The uvicorn server that handles SIGTERM in this process; None where another does, or none."""
    server = getattr(sigterm_handler, "__self__", None)
    modules = [kind.__module__ for kind in type(server).__mro__]
    return server if "uvicorn.server" in modules else None


def follow_server(server: Any, flush: Callable[[], bool]) -> None:
    """Flush when the server has shut down, and after each line that it logs from then on.

    Args:
        server: the `uvicorn.Server`.
        flush: sends what is waiting, within bounded time; whether it could.
    """
    shut_down = server.shutdown

    async def shutdown(*args: Any, **kwargs: Any) -> None:
        try:
            await shut_down(*args, **kwargs)
        finally:
            await _flush_last(flush)

    server.shutdown = shutdown


async def _flush_last(flush: Callable[[], bool]) -> None:
    try:
        if await asyncio.to_thread(flush):
            _outermost(_LOG).addHandler(_Flushing(flush))
    except Exception:  # noqa: BLE001 - the server ends in any case
        report("flush at the end of the server")


def _outermost(logger: logging.Logger) -> logging.Logger:
    """The last logger that sees the records of this one."""
    while logger.propagate and logger.parent is not None:
        logger = logger.parent
    return logger


class _Flushing(logging.Handler):
    """Sends each record as soon as the handlers before it have taken it."""

    def __init__(self, flush: Callable[[], bool]) -> None:
        super().__init__()
        self._flush = flush

    def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002 - the record is taken already
        """Flush."""
        self._flush()
