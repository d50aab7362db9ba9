"""The model server that faults are injected into.

Every request takes the same way, through spans with the same names; a fault changes only what happens on it. Which
one is in the body of the request, of which nothing goes into the telemetry.
"""

import asyncio
import gc
import sqlite3
import threading
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import httpx
import torch
from fastapi import FastAPI
from pydantic import BaseModel

import infersight
from infersight.examples.batcher import Batcher
from infersight_analysis.demo.model import strip_markup

HELD_SECONDS: Final = 0.8
"""How long a fault holds what it holds."""

CAPACITY: Final = 8
LENGTH: Final = 64
"""Texts are padded to this many tokens, and batches to their capacity: all forward calls have one shape."""

SHORT_LENGTH: Final = 16
"""Texts of at most as many characters are padded to this."""

WIDTH: Final = 160
QUERIES: Final = 2
QUERIES_OF_MANY: Final = 80
ROUND_TRIP_SECONDS: Final = 0.004
ATTEMPTS: Final = 3
BACKOFF_SECONDS: Final = 0.25
BULK: Final = 400
"""Items that one bulk request submits to the batcher."""


@dataclass(frozen=True)
class Settings:
    """How one process of the server runs.

    Args:
        service: its name in the telemetry.
        version: its version there.
        environment: variables for the SDK.
        profiles: URL of the service that it asks.
        compiled: whether the model runs through `torch.compile`.
        lazy: whether its table of words is built by the first request.
        objects: how many live objects its heap has besides.
        extra_seconds: processor time that each request takes more than it should.
    """

    service: str
    version: str
    environment: dict[str, str] = field(default_factory=dict[str, str])
    profiles: str = ""
    compiled: bool = False
    lazy: bool = False
    objects: int = 0
    extra_seconds: float = 0.0


class Order(BaseModel):
    """A request: its text, a key that the other service knows it by, and what shall go wrong."""

    key: str
    text: str = ""
    fault: str = ""


class Service:
    """What the server's process holds."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._in_thread = threading.Event()  # a request with a fault is in a thread of the pool
        self._at_lock = threading.Event()
        self._arrived = asyncio.Event()
        self._held = 0
        self._waiting = 0
        gc.disable()  # until they are there, or making them would take a collection every few thousand
        self._heap = [[index] for index in range(settings.objects)]
        gc.enable()
        torch.manual_seed(7)  # pyright: ignore[reportUnknownMemberType] - torch leaves its argument untyped
        torch.set_num_threads(1)
        layer = torch.nn.TransformerEncoderLayer(WIDTH, nhead=4, dim_feedforward=2 * WIDTH, batch_first=True)
        encoder = torch.nn.TransformerEncoder(layer, num_layers=2, enable_nested_tensor=False).eval()
        compiled: Any = torch.compile  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - partly untyped
        model: Any = compiled(encoder, backend="aot_eager", dynamic=False) if settings.compiled else encoder
        self._model = model
        infersight.instrument_torch(model, name="ranker", version="3")
        self._embedding = torch.nn.Embedding(256, WIDTH)
        self._of_thread = threading.local()

    @cached_property
    def _words(self) -> dict[str, int]:
        return {f"word {index}": index for index in range(2_500_000 if self._settings.lazy else 10)}

    @asynccontextmanager
    async def running(self, _app: FastAPI) -> AsyncGenerator[None]:
        """The batcher and the client, as long as the application runs."""
        batcher = Batcher(self._classify, model="ranker", version="3", capacity=CAPACITY, wait_seconds=0.005)
        async with batcher as self._batcher, httpx.AsyncClient() as self._client:
            yield

    async def predict(self, order: Order) -> float:
        """The way of every request."""
        if order.fault:
            self._arrived.set()
        tokens = await asyncio.to_thread(self._prepare, order)
        await asyncio.to_thread(self._look_up, order)
        await self._fetch(order)
        with infersight.stage("arrange"):
            if order.fault == "blocked_event_loop":
                time.sleep(HELD_SECONDS)  # noqa: ASYNC251 - the fault
        score: float = await self._batcher.submit(tokens, size=len(tokens))
        return await asyncio.to_thread(self._finish, order, score)

    async def refresh(self, order: Order) -> None:
        """Work beside the requests, which may be in their way."""
        if order.fault == "queueing":
            await asyncio.gather(*(self._submit_bulk_item() for _ in range(BULK)))
        elif order.fault == "blocked_event_loop":
            await self._arrived.wait()
            time.sleep(HELD_SECONDS)  # noqa: ASYNC251 - the fault
        elif order.fault == "thread_pool":
            await asyncio.gather(*(asyncio.to_thread(self._hold_thread) for _ in range(12)))
        elif order.fault == "lock_contention":
            await asyncio.to_thread(self._hold_lock)
        elif order.fault == "gc_or_memory":
            await asyncio.to_thread(self._collect)

    async def _submit_bulk_item(self) -> None:
        self._waiting += 1
        await self._batcher.submit(torch.zeros(LENGTH, dtype=torch.long), size=LENGTH)
        self._waiting -= 1

    async def state(self) -> dict[str, Any]:
        """What is under way; not in the telemetry."""
        return {"waiting": self._waiting, "held": self._held, "locked": self._lock.locked()}

    @infersight.observe(model="ranker", version="3")
    def _classify(self, batch: Sequence[torch.Tensor]) -> list[float]:
        length = SHORT_LENGTH if all(len(tokens) <= SHORT_LENGTH for tokens in batch) else LENGTH
        padded = torch.zeros(CAPACITY, length, dtype=torch.long)
        for row, tokens in zip(padded, batch, strict=False):
            row[: len(tokens)] = tokens[:length]
        with torch.inference_mode():
            scores: list[float] = self._model(self._embedding(padded)).mean(dim=(1, 2)).tolist()
        return scores[: len(batch)]

    def _prepare(self, order: Order) -> torch.Tensor:
        with infersight.stage("prepare", **{"text.length": len(order.text)}):
            until = time.thread_time() + self._settings.extra_seconds
            text = strip_markup(order.text)
            self._words.get(text)
            if order.fault == "gc_or_memory, beside it":
                self._in_thread.set()
                time.sleep(0.05)
            elif order.fault == "gc_or_memory":
                gc.collect()
            while time.thread_time() < until:
                self._words.get(text)
        return torch.tensor([ord(character) % 256 for character in text[:LENGTH]] or [0])

    def _look_up(self, order: Order) -> None:
        database = self._database()
        seconds = HELD_SECONDS if order.fault == "slow query" else ROUND_TRIP_SECONDS
        for number in range(QUERIES_OF_MANY if order.fault == "n_plus_one" else QUERIES):
            statement = f"SELECT loaded({number}, {seconds})"
            with infersight.query("SELECT loaded", statement=statement, system="sqlite"):
                database.execute(statement).fetchone()

    def _database(self) -> sqlite3.Connection:
        database: sqlite3.Connection | None = getattr(self._of_thread, "database", None)
        if database is None:
            database = self._of_thread.database = sqlite3.connect(":memory:")
            database.create_function("loaded", 2, _round_trip)
        return database

    async def _fetch(self, order: Order) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            response = await self._client.get(f"{self._settings.profiles}/profiles/{order.key}", timeout=30)
            if response.is_success:
                return
            await asyncio.sleep(BACKOFF_SECONDS * attempt)

    def _finish(self, order: Order, score: float) -> float:
        with infersight.stage("finish"):
            if order.fault == "lock_contention":
                self._at_lock.set()
            with self._lock:
                return round(score, 3)

    def _hold_lock(self) -> None:
        with infersight.stage("finish"), self._lock:
            self._at_lock.wait(30)
            time.sleep(HELD_SECONDS)

    def _hold_thread(self) -> None:
        with self._counted():
            time.sleep(HELD_SECONDS)

    def _collect(self) -> None:
        self._in_thread.wait(30)
        gc.collect()

    @contextmanager
    def _counted(self) -> Any:
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1


def _round_trip(number: int, seconds: float) -> int:
    """Stands for a database on the network, in a database that is not."""
    time.sleep(seconds)
    return number


def build(settings: Settings) -> FastAPI:
    """The instrumented application."""
    infersight.configure(service_name=settings.service, service_version=settings.version, console="off")
    service = Service(settings)
    app = FastAPI(lifespan=service.running)
    infersight.instrument_fastapi(app)
    app.post("/predict")(service.predict)
    app.post("/refresh")(service.refresh)
    app.get("/state")(service.state)
    return app
