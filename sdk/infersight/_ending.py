"""Work that is done side by side, also at the end of a process, when no thread can be started any more.

From Python 3.12 on none can once the interpreter has begun to shut down, which it has when `atexit` functions run. So a
few threads wait for that moment from the beginning.
"""

import sys
import threading
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, Final

from infersight._faults import report

_HELPERS: Final = 3 if sys.version_info >= (3, 12) else 0
"""One a signal; what is more is done one after the other."""


class Task:
    """Something that is being done."""

    def __init__(self, action: Callable[[], Any]) -> None:
        self._action = action
        self._ended = threading.Event()

    def run(self) -> None:
        """Do it; an error is reported."""
        try:
            self._action()
        except Exception:  # noqa: BLE001 - OpenTelemetry raises when it cannot flush
            report("flush its telemetry")
        finally:
            self._ended.set()

    def has_ended(self, timeout: float) -> bool:
        """Whether it has ended, after waiting for it at most so many seconds."""
        return self._ended.wait(timeout)


class Helpers:
    """Threads for tasks; they hold up no process."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Start the waiting threads; also in a forked child, which has none of its parent's."""
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._idle = threading.Semaphore(_HELPERS)
        for _ in range(_HELPERS):
            threading.Thread(target=self._work, args=(self._tasks,), name="infersight-end", daemon=True).start()

    def stop(self) -> None:
        """Let the waiting threads end."""
        for _ in range(_HELPERS):
            self._tasks.put(None)

    def start(self, actions: Sequence[Callable[[], Any]]) -> list[Task]:
        """Do the actions side by side."""
        tasks = [Task(action) for action in actions]
        for task in tasks:
            try:
                threading.Thread(target=task.run, daemon=True).start()
            except RuntimeError:  # the interpreter shuts down
                if self._idle.acquire(blocking=False):
                    self._tasks.put(task)
                else:
                    task.run()
        return tasks

    def _work(self, tasks: "SimpleQueue[Task | None]") -> None:
        while (task := tasks.get()) is not None:
            task.run()
            self._idle.release()


def all_end(tasks: Sequence[Task], timeout: float) -> bool:
    """Wait at most `timeout` seconds for all tasks together; True when all have ended."""
    deadline = time.monotonic() + timeout
    return all(task.has_ended(max(0.0, deadline - time.monotonic())) for task in tasks)
