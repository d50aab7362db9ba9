"""A dynamic batcher on asyncio: calls that come together run together, and each says what that cost it.

async with Batcher(model.predict, model="sentiment", capacity=8, wait_seconds=0.005) as batcher:
    label = await batcher.submit(tokens, size=len(tokens))
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Generic, Self, TypeVar

import infersight

Input = TypeVar("Input")
Output = TypeVar("Output")


@dataclass(frozen=True)
class _Waiting(Generic[Input, Output]):
    """A call that waits for its batch."""

    value: Input
    queued: infersight.QueuedItem
    result: "asyncio.Future[Output]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Batcher(Generic[Input, Output]):
    """Runs a function of a list on what is submitted: as soon as `capacity` inputs wait, or the first has long enough.

    Args:
        run: from inputs to outputs, in the same order; called in a thread, one batch at a time.
        model: name of the model, for the telemetry.
        version: its version.
        capacity: the most inputs in a batch.
        wait_seconds: how long the first input of a batch waits for others.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Input]], Sequence[Output]],
        *,
        model: str,
        version: str | None = None,
        capacity: int,
        wait_seconds: float,
    ) -> None:
        self._run = run
        self._model = model
        self._version = version
        self._capacity = capacity
        self._wait_seconds = wait_seconds
        self._waiting: asyncio.Queue[_Waiting[Input, Output]] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self._worker = asyncio.create_task(self._work())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._worker.cancel()
        await asyncio.gather(self._worker, return_exceptions=True)
        while not self._waiting.empty():
            self._waiting.get_nowait().result.cancel()

    async def submit(self, value: Input, size: float = 1) -> Output:
        """The output for this input; raises what `run` raised for its batch.

        Args:
            value: the input.
            size: how much of a batch it is, without padding, such as its tokens; for the telemetry.
        """
        waiting = _Waiting[Input, Output](value, infersight.QueuedItem(size))
        await self._waiting.put(waiting)
        try:
            return await waiting.result
        except asyncio.CancelledError as error:
            waiting.queued.drop(error)
            raise

    async def _work(self) -> None:
        while True:
            batch, reason = await self._collect()
            try:
                with infersight.Batch(
                    [waiting.queued for waiting in batch],
                    model=self._model,
                    version=self._version,
                    capacity=self._capacity,
                    release_reason=reason,
                ):
                    outputs = await asyncio.to_thread(self._run, [waiting.value for waiting in batch])
            except Exception as error:  # noqa: BLE001 - each call of the batch raises it
                for waiting in _unanswered(batch):
                    waiting.result.set_exception(error)
            except asyncio.CancelledError:
                for waiting in _unanswered(batch):
                    waiting.result.cancel()
                raise
            else:
                for waiting, output in zip(batch, outputs, strict=True):
                    if not waiting.result.done():
                        waiting.result.set_result(output)

    async def _collect(self) -> "tuple[list[_Waiting[Input, Output]], str]":
        """The next batch, of calls that have not been cancelled, and why it does not wait longer."""
        while True:
            batch, reason = [await self._waiting.get()], "full"
            try:
                async with asyncio.timeout(self._wait_seconds):
                    while len(batch) < self._capacity:
                        batch.append(await self._waiting.get())
            except TimeoutError:
                reason = "timeout"
            if live := _unanswered(batch):
                return live, reason


def _unanswered(batch: "Sequence[_Waiting[Input, Output]]") -> "list[_Waiting[Input, Output]]":
    return [waiting for waiting in batch if not waiting.result.done()]
