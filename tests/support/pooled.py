"""A server whose requests each take a connection of a pool: `uvicorn tests.support.pooled:app`.

`POOL` is how many connections there are, `WORK_SECONDS` how long each request needs one, and `PATIENCE_SECONDS` how
long it waits for one until it fails.
"""

import os
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.pool import QueuePool

import infersight

infersight.configure(service_name="predictor", service_version="1.0")
engine = create_engine(
    "sqlite://",
    poolclass=QueuePool,
    pool_size=int(os.environ["POOL"]),
    max_overflow=0,
    pool_timeout=float(os.environ["PATIENCE_SECONDS"]),
    connect_args={"check_same_thread": False},
)


@asynccontextmanager
async def many_threads(_app: FastAPI) -> AsyncGenerator[None]:
    """A thread for each request, so that the pool is what they wait for."""
    to_thread.current_default_thread_limiter().total_tokens = 200
    yield


app = FastAPI(lifespan=many_threads)
infersight.instrument_fastapi(app)


@app.get("/predict")
def predict() -> dict[str, str]:
    """One query, and the work on its connection."""
    with engine.connect() as connection, infersight.stage("features"):
        connection.execute(text("select 1"))
        time.sleep(float(os.environ["WORK_SECONDS"]))
    return {"label": "positive"}


@app.get("/health")
async def health() -> dict[str, str]:
    """Say that this server serves."""
    return {"status": "ok"}
