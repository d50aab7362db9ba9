"""A model server whose requests each need a connection of a pool: `uvicorn infersight_analysis.demo.pooled:app`.

It is what an incident is walked through with: under load its pool is exhausted. It needs SQLAlchemy, which infersight
does not.

- `INFERSIGHT_DEMO_POOL`: how many connections there are; 10 by default.
- `INFERSIGHT_DEMO_WORK`: for how many seconds a request needs one; 0.25 by default.
- `INFERSIGHT_DEMO_PATIENCE`: for how many seconds it waits for one until it fails; 1.25 by default.
"""

import logging
import os
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import sqlalchemy
from anyio import to_thread
from fastapi import FastAPI

import infersight

POOL: Final = int(os.environ.get("INFERSIGHT_DEMO_POOL", "10"))
WORK_SECONDS: Final = float(os.environ.get("INFERSIGHT_DEMO_WORK", "0.25"))
PATIENCE_SECONDS: Final = float(os.environ.get("INFERSIGHT_DEMO_PATIENCE", "1.25"))
THREADS: Final = 200
"""A thread for each of many requests, so that it is connections that they wait for."""

log = logging.getLogger("demo.pooled")
infersight.configure(service_name="predictor", service_version="1.0")
engine = sqlalchemy.create_engine(
    "sqlite://",
    poolclass=sqlalchemy.QueuePool,
    pool_size=POOL,
    max_overflow=0,
    pool_timeout=PATIENCE_SECONDS,
    connect_args={"check_same_thread": False},
)


@asynccontextmanager
async def many_threads(_app: FastAPI) -> AsyncGenerator[None]:
    """Let as many requests in as there are threads."""
    to_thread.current_default_thread_limiter().total_tokens = THREADS
    yield


app = FastAPI(title="infersight demo, pooled", lifespan=many_threads)
infersight.instrument_fastapi(app)


@infersight.observe(model="demo", version="1.0")
def classify(_features: int) -> str:
    """The label; the wait stands for the time of a model."""
    time.sleep(WORK_SECONDS)
    return "positive"


@app.get("/predict")
def predict() -> Mapping[str, str]:
    """Read the features of a request and classify them, all on one connection."""
    with engine.connect() as connection:
        features = connection.execute(sqlalchemy.text("select 1")).scalar_one()
        label = classify(features)
    log.info("predicted", extra={"label": label})
    return {"label": label}


@app.get("/health")
async def health() -> Mapping[str, str]:
    """Say that this server serves."""
    return {"status": "ok"}
