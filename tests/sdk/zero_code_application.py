"""An application that is observed in one of three ways: from outside, by two calls of its own, or not at all."""

import asyncio
import logging
import os

from fastapi import FastAPI

import infersight

log = logging.getLogger("served")
app = FastAPI()
inner = FastAPI()
app.mount("/inner", inner)

if os.environ.get("CONFIGURES_ITSELF"):
    infersight.configure()
    infersight.instrument_fastapi(app)


@infersight.observe(model="doubler", version="2")
def double(numbers: list[int]) -> list[int]:
    return [2 * number for number in numbers]


@app.get("/double")
async def doubled() -> int:
    await asyncio.get_running_loop().run_in_executor(None, double, [1, 2, 3])
    log.info("doubled", extra={"items": 3})
    return os.getpid()


@inner.get("/deep")
async def deep() -> int:
    return os.getpid()


@app.get("/health")
async def health() -> None:
    return None
