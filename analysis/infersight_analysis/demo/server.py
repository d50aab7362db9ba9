"""The demo's model server: `uvicorn infersight_analysis.demo.server:app`.

Instrumented as a reader's own server would be: `configure`, `instrument_fastapi`, `instrument_torch`, `observe`, and a
stage for each step; requests are classified in dynamic batches. Its own bug is a synchronous HTTP call inside a
coroutine, which starves the event loop. `INFERSIGHT_DEMO_VERSION` lets it run as another version; `reviews` is the
server to plant regressions in.
"""

import asyncio
import logging
import os
import urllib.request
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import torch
from fastapi import FastAPI
from pydantic import BaseModel

import infersight
from infersight.examples.batcher import Batcher
from infersight_analysis.demo.model import LABELS, load_model, pad, strip_markup, tokenize

MODEL_VERSION: Final = os.environ.get("INFERSIGHT_DEMO_VERSION", "1.4.0")
BATCH_CAPACITY: Final = 8
BATCH_WAIT_SECONDS: Final = 0.02
PROFILE_URL: Final = os.environ.get("INFERSIGHT_DEMO_PROFILE_URL", "")

log = logging.getLogger("demo.server")
infersight.configure(service_name="sentiment", service_version=MODEL_VERSION)


class Document(BaseModel):
    """A document to classify; `personalise` asks for the reader's profile first."""

    text: str
    kind: str = "plain"
    personalise: bool = False


class Sentiment(BaseModel):
    """The label of a document and the model's probability for it."""

    label: str
    confidence: float


model = load_model()
infersight.instrument_torch(model, name="sentiment", version=MODEL_VERSION)


@infersight.observe(model="sentiment", version=MODEL_VERSION)
def classify(documents: Sequence[torch.Tensor]) -> list[list[float]]:
    """The probability of each label, for each document of one batch."""
    with torch.inference_mode():
        probabilities: Any = torch.softmax(model(pad(documents)), dim=-1)  # whose `tolist` torch leaves untyped
        return probabilities.tolist()  # type: ignore[no-any-return]


@asynccontextmanager
async def batching(started: FastAPI) -> AsyncGenerator[None]:
    """Run the batcher as long as the application."""
    batcher = Batcher(
        classify, model="sentiment", version=MODEL_VERSION, capacity=BATCH_CAPACITY, wait_seconds=BATCH_WAIT_SECONDS
    )
    async with batcher as started.state.batcher:
        yield


app = FastAPI(title="infersight demo", lifespan=batching)
infersight.instrument_fastapi(app)


def load_profile() -> bytes:
    """Ask the profile service; synchronous, so a coroutine that calls it stops the event loop."""
    with urllib.request.urlopen(PROFILE_URL, timeout=10) as response:  # noqa: S310 - the demo's own loopback URL
        profile: bytes = response.read()
    return profile


@app.post("/predict")
async def predict(document: Document) -> Sentiment:
    """Classify one document."""
    if document.personalise:
        with infersight.stage("profile"):
            load_profile()
    with infersight.stage("preprocess", **{"document.kind": document.kind, "document.size": len(document.text)}):
        text = await asyncio.to_thread(strip_markup, document.text)
    tokens = tokenize(text)
    probabilities: list[float] = await app.state.batcher.submit(tokens, size=len(tokens))
    by_label = dict(zip(LABELS, probabilities, strict=True))
    label = max(by_label, key=by_label.__getitem__)
    infersight.prediction(label=label, input=text, probabilities=by_label, model="sentiment", version=MODEL_VERSION)
    log.info("classified %s document", document.kind, extra={"label": label})
    return Sentiment(label=label, confidence=by_label[label])


@app.get("/health")
async def health() -> dict[str, str]:
    """Say that this worker serves."""
    return {"status": "ok"}
