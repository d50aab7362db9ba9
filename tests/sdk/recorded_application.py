"""The application whose requests the tests of the flight recorder look into."""

import asyncio
import logging
import time

from fastapi import FastAPI

import infersight

log = logging.getLogger("recorded")
infersight.configure(service_name="recorded")
app = FastAPI()
infersight.instrument_fastapi(app)


def step(tag: str) -> None:
    with infersight.detail("outer", tag=tag) as outer:
        log.debug("inner begins, %s", tag, extra={"tag": tag})
        with infersight.detail("inner"):
            time.sleep(0.002)
        outer.set(done=True)


@app.get("/work")
async def work(tag: str, seconds: float = 0.0) -> None:
    with infersight.stage("preprocess"):
        await asyncio.to_thread(step, tag)
    log.info("worked, %s", tag)
    await asyncio.sleep(seconds)


@app.get("/fail")
async def fail(tag: str) -> None:
    step(tag)
    raise LookupError(f"no such row, {tag}")


@app.get("/leak")
async def leak(secret: str) -> None:
    with infersight.detail("leak", password=secret):
        log.debug("the password=%s is out", secret)


@app.get("/health")
async def health() -> None:
    return None
