"""The application whose requests the tests of the flight recorder look into."""

import asyncio
import contextvars
import logging
import threading
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


@app.get("/threads")
async def threads(tag: str) -> None:
    """Work in an executor and in a plain thread, neither of which gets the context variables of this task."""
    await asyncio.get_running_loop().run_in_executor(None, step, tag)
    thread = threading.Thread(target=log.info, args=("in a thread, %s", tag))
    thread.start()
    thread.join()
    raise LookupError(tag)


@app.get("/batch")
async def batch(tag: str) -> None:
    """Its batch runs outside of the request, and so do the ends of the spans that it has of it."""
    item = infersight.QueuedItem()
    worker = threading.Thread(target=contextvars.Context().run, args=(run_batch, item))
    worker.start()
    await asyncio.to_thread(worker.join)
    log.info("batched, %s", tag)


def run_batch(item: infersight.QueuedItem) -> None:
    with infersight.Batch([item], model="m", capacity=1, release_reason="full"):
        pass


@app.get("/leak")
async def leak(secret: str) -> None:
    with infersight.detail("leak", password=secret):
        log.debug("the password=%s is out", secret)


@app.get("/health")
async def health() -> None:
    return None
