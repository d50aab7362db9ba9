"""The demo's model server: `uvicorn infersight_analysis.demo.server:app`.

Instrumented as a reader's own server would be: `configure`, `instrument_fastapi`, `observe`, and a stage for each
step. Its third fault is a synchronous HTTP call inside a coroutine, which starves the event loop.
"""

import asyncio
import logging
import os
import urllib.request
from typing import Final

import torch
from fastapi import FastAPI
from pydantic import BaseModel

import infersight
from infersight_analysis.demo.model import LABELS, load_model, strip_markup, tokenize

MODEL_VERSION: Final = "1.4.0"
PROFILE_URL: Final = os.environ.get("INFERSIGHT_DEMO_PROFILE_URL", "")

log = logging.getLogger("demo.server")
infersight.configure(service_name="sentiment", service_version=MODEL_VERSION)
app = FastAPI(title="infersight demo")
infersight.instrument_fastapi(app)
model = load_model()


class Document(BaseModel):
    """A document to classify; `personalise` asks for the reader's profile first."""

    text: str
    kind: str = "plain"
    personalise: bool = False


class Sentiment(BaseModel):
    """The label of a document and the model's probability for it."""

    label: str
    confidence: float


@infersight.observe(model="sentiment", version=MODEL_VERSION)
def classify(tokens: torch.Tensor) -> torch.Tensor:
    """Probabilities of shape (batch, labels) for tokens of shape (batch, length)."""
    with torch.inference_mode():
        return torch.softmax(model(tokens), dim=-1)


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
    probabilities = (await asyncio.to_thread(classify, tokens))[0]
    best = int(probabilities.argmax())
    log.info("classified %s document", document.kind, extra={"label": LABELS[best]})
    return Sentiment(label=LABELS[best], confidence=float(probabilities[best]))


@app.get("/health")
async def health() -> dict[str, str]:
    """Say that this worker serves."""
    return {"status": "ok"}
