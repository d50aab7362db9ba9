"""The application of the load test: every way in which work leaves the request's own task or thread."""

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from fastapi import BackgroundTasks, FastAPI
from fastapi.responses import StreamingResponse

import infersight
from infersight.examples.batcher import Batcher


def double(numbers: Sequence[int]) -> list[int]:
    return [2 * number for number in numbers]


@asynccontextmanager
async def lifespan(started: FastAPI) -> AsyncGenerator[None]:
    async with Batcher(double, model="doubler", capacity=8, wait_seconds=0.005) as batcher:
        started.state.batcher = batcher
        yield


log = logging.getLogger("loaded")
infersight.configure(service_name="loaded")
app = FastAPI(lifespan=lifespan)
infersight.instrument_fastapi(app)
pool = ThreadPoolExecutor(4)


@infersight.observe(model="echo")
def echo(number: int) -> int:
    with infersight.stage("deep"):
        return number


@infersight.observe(model="echo")
async def echo_async(number: int) -> int:
    await asyncio.sleep(0)
    return echo.__wrapped__(number)  # type: ignore[attr-defined, no-any-return]  # pyright: ignore


def in_thread(number: int) -> None:
    thread = threading.Thread(target=echo, args=(number,))
    thread.start()
    thread.join()


@app.get("/gather/{number}")
async def gather(number: int) -> int:
    await asyncio.gather(*(echo_async(number + offset) for offset in range(3)))
    return number


@app.get("/to_thread/{number}")
async def to_thread(number: int) -> int:
    return await asyncio.to_thread(echo, number)


@app.get("/executor/{number}")
async def executor(number: int) -> int:
    return await asyncio.get_running_loop().run_in_executor(pool, echo, number)


@app.get("/thread/{number}")
def thread(number: int) -> int:
    in_thread(number)
    return number


@app.get("/pool/{number}")
def threadpool(number: int) -> int:
    return echo(number)


@app.get("/background/{number}")
async def background(number: int, tasks: BackgroundTasks) -> int:
    tasks.add_task(echo, number)
    return number


@app.get("/stream/{number}")
async def stream(number: int) -> StreamingResponse:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            await echo_async(number)
            yield b"."

    return StreamingResponse(chunks())


@app.get("/stream_sync/{number}")
def stream_sync(number: int) -> StreamingResponse:
    def chunks() -> Iterator[bytes]:
        for _ in range(3):
            echo(number)
            yield b"."

    return StreamingResponse(chunks())


@app.get("/endless/{number}")
async def endless(number: int) -> StreamingResponse:
    async def chunks() -> AsyncIterator[bytes]:
        await echo_async(number)
        while True:
            yield bytes(65_536)
            await asyncio.sleep(0.01)

    return StreamingResponse(chunks())


@app.get("/batch/{number}")
async def batch(number: int) -> int:
    doubled: int = await app.state.batcher.submit(number)
    return doubled


@app.get("/log/{number}")
async def logs(number: int) -> int:
    log.info("number %d", number)
    return number


@app.get("/health")
async def health() -> None:
    return None
