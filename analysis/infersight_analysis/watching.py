"""Running queries end on Ctrl-C, and meanwhile can show how far they are.

While DuckDB computes, Python gets no turn in which it could raise KeyboardInterrupt. So a thread learns of the signal
from the kernel (`signal.set_wakeup_fd`) and interrupts the connection, whose call then raises.
"""

import os
import select
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

import duckdb

_TICK_S: Final = 0.2
_STOP: Final = b"\0"  # no signal has this number


@contextmanager
def watched(connection: duckdb.DuckDBPyConnection, tick: Callable[[], None]) -> Generator[None]:
    """Ends what the connection does within the block on Ctrl-C.

    Args:
        connection: whose queries to end.
        tick: called five times a second from another thread, to show progress.

    Raises:
        KeyboardInterrupt: Ctrl-C.
    """
    watch = _Watch(connection, tick)
    try:
        with watch.running():
            yield
    except (duckdb.Error, OSError, RuntimeError) as error:
        # The thread has ended and so has read of every signal: DuckDB may notice one before it does.
        if watch.interrupted:
            raise KeyboardInterrupt from error
        raise


class _Watch:
    def __init__(self, connection: duckdb.DuckDBPyConnection, tick: Callable[[], None]) -> None:
        self._connection = connection
        self._tick = tick
        self._stopped = False
        self.interrupted = False

    @contextmanager
    def running(self) -> Generator[None]:
        """Watches from a thread of its own until the block ends."""
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        # Only the main thread gets signals.
        in_main = threading.current_thread() is threading.main_thread()
        previous = signal.set_wakeup_fd(writing, warn_on_full_buffer=False) if in_main else -1
        thread = threading.Thread(target=self._watch, args=(reading,), name="infersight-watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            if in_main:
                signal.set_wakeup_fd(previous)
            os.write(writing, _STOP)
            thread.join()
            os.close(reading)
            os.close(writing)

    def _watch(self, reading: int) -> None:
        while not self._stopped:
            if select.select([reading], [], [], _TICK_S)[0]:
                numbers = os.read(reading, 64)
                self._stopped = _STOP[0] in numbers
                self.interrupted = self.interrupted or signal.SIGINT in numbers
            if self.interrupted:
                self._connection.interrupt()  # each time: one that comes before the query begins has no effect
            else:
                self._tick()
