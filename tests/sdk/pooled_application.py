"""The application whose work waits for threads and goes to other processes."""

import asyncio
import gc
import time
from collections.abc import AsyncGenerator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI

import infersight


@asynccontextmanager
async def lifespan(_started: FastAPI) -> AsyncGenerator[None]:
    anyio.to_thread.current_default_thread_limiter().total_tokens = 1
    with ProcessPoolExecutor(1) as pool:
        processes.append(pool)
        yield


infersight.configure(service_name="pooled")
app = FastAPI(lifespan=lifespan)
infersight.instrument_fastapi(app)
processes: list[ProcessPoolExecutor] = []
threads = ThreadPoolExecutor(1)


def hold(name: str) -> None:
    with infersight.stage(name):
        time.sleep(0.2)


@app.get("/collect")
async def collect() -> None:
    garbage: list[object] = [[] for _ in range(400_000)]  # enough to look at for some milliseconds
    gc.collect()
    del garbage


@app.get("/executor")
async def executor() -> None:
    loop = asyncio.get_running_loop()
    await asyncio.gather(*(loop.run_in_executor(threads, hold, name) for name in ("first", "second")))


@app.get("/sync")
def sync() -> None:
    """FastAPI runs it in a thread of AnyIO's, of which there is one."""
    hold("sync")


@infersight.observe(model="doubler")
def double(number: int) -> int:
    return 2 * number


@app.get("/process")
async def process() -> int:
    return await asyncio.get_running_loop().run_in_executor(processes[0], double, 21)


def stall() -> None:
    time.sleep(0.5)


@app.get("/block")
async def block() -> None:
    stall()


@app.get("/quick")
async def quick() -> None:
    return None


@app.get("/health")
async def health() -> None:
    return None
