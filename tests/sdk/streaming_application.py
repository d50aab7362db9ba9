"""A token server for the tests: streams from sync and async generators, and a model behind a batcher."""

import asyncio
import gc
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import torch
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

import infersight
from infersight.examples.batcher import Batcher

infersight.configure(service_name="streaming", console="off")

model = torch.nn.Linear(1, 1)
torch.nn.init.ones_(model.weight)
torch.nn.init.zeros_(model.bias)
infersight.instrument_torch(model, name="identity")


def predict(values: Sequence[int]) -> list[int]:
    with torch.inference_mode():
        return [round(row.item()) for row in model(torch.tensor(values, dtype=torch.float32).unsqueeze(1))]


batcher = Batcher(predict, model="identity", capacity=32, wait_seconds=0.002)


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
    async with batcher:
        yield


app = FastAPI(lifespan=lifespan)
infersight.instrument_fastapi(app)


@app.get("/collect")
async def collect() -> int:
    """Starlette leaves the sync generator of a response that was cut to the garbage collector."""
    return gc.collect()


async def decode(count: int) -> AsyncIterator[str]:
    for number in range(count):
        with infersight.stage("decode"):
            await asyncio.sleep(0.001)
        yield f"{number} "


def decode_sync(count: int) -> Iterator[str]:
    for number in range(count):
        with infersight.stage("decode"):
            yield f"{number} "


@app.get("/health")
async def health() -> str:
    return "ok"


@app.get("/generate/{count}")
async def generate(count: int) -> StreamingResponse:
    return StreamingResponse(infersight.generation(model="tiny", input_tokens=3).stream(decode(count)))


@app.get("/generate-sync/{count}")
async def generate_sync(count: int) -> StreamingResponse:
    return StreamingResponse(infersight.generation(model="tiny", input_tokens=3).stream(decode_sync(count)))


@app.get("/identity/{number}")
async def identity(number: int) -> int:
    return await batcher.submit(number)
