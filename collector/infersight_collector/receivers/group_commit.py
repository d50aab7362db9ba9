"""Requests of one event loop on their way into the log, many by one write."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

from infersight_collector.component import Receipt, RequestSink
from infersight_collector.signals import Signal


class _Waiting(NamedTuple):
    signal: Signal
    request: bytes
    kept: "asyncio.Future[Receipt]"


class GroupCommit:
    """Hands requests to the sink together with all that arrived while it wrote the ones before.

    A thread for each request would cost more than a small request itself; here many share one thread's turn, one sync
    and one wake-up of the loop.

    Args:
        sink: keeps requests durably.
    """

    def __init__(self, sink: RequestSink) -> None:
        self._sink = sink
        self._waiting: list[_Waiting] = []
        self._writing = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="commit")

    async def submit(self, signal: Signal, request: bytes) -> Receipt:
        """Keeps a request as `RequestSink.submit` does."""
        waiting = _Waiting(signal, request, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if not self._writing:
            self._begin()
        return await waiting.kept

    def _begin(self) -> None:
        together, self._waiting = self._waiting, []
        self._writing = True
        requests = [(one.signal, one.request) for one in together]
        loop = asyncio.get_running_loop()
        loop.run_in_executor(self._thread, self._sink.submit_all, requests).add_done_callback(
            partial(self._end, together)
        )

    def _end(self, together: Sequence[_Waiting], done: "asyncio.Future[Sequence[Receipt | Exception]]") -> None:
        failure = done.exception()
        outcomes = [failure] * len(together) if failure is not None else done.result()
        for one, outcome in zip(together, outcomes, strict=True):
            if one.kept.done():  # its request was given up
                continue
            if isinstance(outcome, BaseException):
                one.kept.set_exception(outcome)
            else:
                one.kept.set_result(outcome)
        self._writing = False
        if self._waiting:
            self._begin()
