"""The application whose code the tests of request profiles look at: it waits, computes, and computes in threads."""

import asyncio
import time

from fastapi import FastAPI

import infersight

infersight.configure(service_name="profiled")
app = FastAPI()
infersight.instrument_fastapi(app)


def crunch(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        sum(range(1_000))


async def waits(seconds: float) -> None:
    await asyncio.sleep(seconds)


@app.get("/mixed")
async def mixed(seconds: float) -> None:
    await waits(seconds)
    crunch(seconds)
    await asyncio.to_thread(crunch, seconds)


@app.get("/sync")
def sync(seconds: float) -> None:
    crunch(seconds)


@app.get("/health")
async def health() -> None:
    return None
