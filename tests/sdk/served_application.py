"""The application that the tests serve with a real uvicorn."""

import asyncio
import logging
import os
import time

from fastapi import FastAPI, Request

import infersight
from infersight._eventloop import monitor_of_running_loop

log = logging.getLogger("served")
infersight.configure(service_name="served", service_version="1.2.3")
app = FastAPI()
infersight.instrument_fastapi(app)


@infersight.observe(model="doubler", version="2")
def double(numbers: list[int]) -> list[int]:
    time.sleep(0.001)
    return [2 * number for number in numbers]


@app.get("/double")
async def doubled() -> int:
    with infersight.stage("preprocess"):
        await asyncio.sleep(0.001)
    await asyncio.to_thread(double, [1, 2, 3])
    log.info("doubled", extra={"items": 3})
    return os.getpid()


@app.get("/fail")
async def fail() -> None:
    raise LookupError("no such row")


def stall() -> None:
    time.sleep(0.4)


@app.get("/block")
async def block() -> None:
    stall()


@app.get("/wait")
async def wait() -> None:
    for _ in range(100):
        await asyncio.sleep(0.01)


@app.get("/in-flight")
async def in_flight() -> int:
    return monitor_of_running_loop().in_flight


@app.post("/size")
async def size(request: Request) -> int:
    return len(await request.body())


@app.get("/health")
async def health() -> None:
    return None
