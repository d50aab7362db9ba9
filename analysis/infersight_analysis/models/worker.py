"""Calls with a deadline, on a thread of their own: what hangs is left behind, and Ctrl-C is heard meanwhile."""

import asyncio
import inspect
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

_Job = tuple[Callable[..., Any], tuple[Any, ...], "SimpleQueue[tuple[bool, Any]]"]


class Worker:
    """A thread that makes one call after another; another thread takes over from one that hangs."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job] | None = None

    def call(self, function: Callable[..., Any], *arguments: Any, timeout_s: float) -> Any:
        """What a function returns; a coroutine is awaited.

        Args:
            function: what to call.
            arguments: with what.
            timeout_s: how long to wait for it.

        Raises:
            TimeoutError: it took longer. It still runs; nothing can end it.
            Exception: what the function raised.
        """
        if self._jobs is None:
            self._jobs = SimpleQueue()
            threading.Thread(target=_work, args=(self._jobs,), name="infersight-model", daemon=True).start()
        outcome: SimpleQueue[tuple[bool, Any]] = SimpleQueue()
        self._jobs.put((function, arguments, outcome))
        try:
            succeeded, value = outcome.get(timeout=timeout_s)
        except Empty:
            self._jobs = None
            raise TimeoutError(f"no answer within {timeout_s:g} s") from None
        if succeeded:
            return value
        raise value


def _work(jobs: "SimpleQueue[_Job]") -> None:
    with asyncio.Runner() as loop:
        while True:
            function, arguments, outcome = jobs.get()
            try:
                value = function(*arguments)
                if inspect.iscoroutine(value):
                    value = loop.run(value)
            except BaseException as error:  # noqa: BLE001 - whatever a model raises is its answer
                outcome.put((False, error if isinstance(error, Exception) else RuntimeError(repr(error))))
            else:
                outcome.put((True, value))
