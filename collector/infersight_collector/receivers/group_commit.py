"""Requests of one event loop on their way into the log, many by one write."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Final, NamedTuple, TypeAlias

from infersight_collector.component import Receipt, RequestSink
from infersight_collector.signals import Signal

Settle: TypeAlias = Callable[[Receipt | Exception], None]
"""Told what became of a request, in the event loop."""


_PATIENCE_S: Final = 0.0005
"""How long a write waits for further requests of those that were just answered, in seconds: a sync takes as long."""


class _Waiting(NamedTuple):
    signal: Signal
    request: bytes
    settle: Settle


class GroupCommit:
    """Hands requests to the sink together with all that arrived while it wrote the ones before.

    A thread for each request would cost more than a small request itself; here many share one thread's turn, one sync
    and one wake-up of the loop.

    Args:
        sink: keeps requests durably.
    """

    def __init__(self, sink: RequestSink) -> None:
        self._sink = sink
        self._loop: asyncio.AbstractEventLoop | None = None
        self._arrived: list[_Waiting] = []
        self._handed: SimpleQueue[list[_Waiting]] = SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="commit", daemon=True)

    def submit(self, signal: Signal, request: bytes, settle: Settle) -> None:
        """Keeps a request as `RequestSink.submit` does; from the event loop only."""
        self._arrived.append(_Waiting(signal, request, settle))
        if len(self._arrived) == 1:
            # Not before the loop has looked at its other connections: their requests may be there too.
            self._running_loop().call_soon(self._hand_over)

    async def keep(self, signal: Signal, request: bytes) -> Receipt:
        """The same for a coroutine: gives or raises what `RequestSink.submit` does."""
        kept: asyncio.Future[Receipt | Exception] = asyncio.get_running_loop().create_future()

        def settle(outcome: Receipt | Exception) -> None:
            if not kept.done():  # else its call was given up
                kept.set_result(outcome)

        self.submit(signal, request, settle)
        outcome = await kept
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def close(self) -> None:
        """Returns when what was submitted is in the log; for when the event loop has ended."""
        self._closed = True
        if self._thread.is_alive():
            self._handed.put([])
            self._thread.join()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._thread.start()
        return self._loop

    def _hand_over(self) -> None:
        arrived, self._arrived = self._arrived, []
        self._handed.put(arrived)

    def _run(self) -> None:
        together: list[_Waiting] = []
        while not (self._closed and self._handed.empty()):
            together = self._gather(len(together))
            if together:
                self._keep(together)

    def _gather(self, answered: int) -> list[_Waiting]:
        """What has arrived, and what those that were just answered send at once, as senders under load do."""
        together = self._drain()
        expected = answered + len(together)
        if not together and not self._closed:  # nothing is handed over after what `close` has put there
            together = self._handed.get()
        until = time.monotonic() + _PATIENCE_S
        while len(together) < expected and not self._closed and (left := until - time.monotonic()) > 0:
            with suppress(Empty):
                together += self._handed.get(timeout=left)
        return together + self._drain()

    def _drain(self) -> list[_Waiting]:
        drained: list[_Waiting] = []
        while not self._handed.empty():
            drained += self._handed.get()
        return drained

    def _keep(self, together: Sequence[_Waiting]) -> None:
        try:
            outcomes = self._sink.submit_all([(one.signal, one.request) for one in together])
        except Exception as error:  # noqa: BLE001 - each sender is told
            outcomes = [error] * len(together)
        assert self._loop is not None
        with suppress(RuntimeError):  # the loop has ended, nobody waits
            self._loop.call_soon_threadsafe(_settle, together, outcomes)


def _settle(together: Sequence[_Waiting], outcomes: Sequence[Receipt | Exception]) -> None:
    for one, outcome in zip(together, outcomes, strict=True):
        one.settle(outcome)
