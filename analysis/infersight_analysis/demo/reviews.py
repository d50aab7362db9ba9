"""A model server of which several versions can run: `uvicorn infersight_analysis.demo.reviews:app`.

It classifies reviews, and it is what releases are tried with: another version of it is another environment.

- `INFERSIGHT_DEMO_VERSION`: what it calls itself, `service.version`; 1.0.0 by default.
- `INFERSIGHT_DEMO_REGRESSIONS`: what is wrong with this version, with commas between: `slow-explain` (the route
  `/explain` takes twice as long), `all-caps` (reviews in capitals are called negative, with high confidence) and
  `mail-address` (reviews with a mail address in them fail).
- `INFERSIGHT_DEMO_SECONDS`: how long its model takes for a review; 0.02 by default.
"""

import asyncio
import logging
import os
from collections.abc import Mapping
from typing import Final

from fastapi import FastAPI
from pydantic import BaseModel

import infersight
from infersight_analysis.demo import lexicon

VERSION: Final = os.environ.get("INFERSIGHT_DEMO_VERSION", "1.0.0")
REGRESSIONS: Final = frozenset(filter(None, os.environ.get("INFERSIGHT_DEMO_REGRESSIONS", "").split(",")))
SECONDS: Final = float(os.environ.get("INFERSIGHT_DEMO_SECONDS", "0.02"))
PLANTED: Final = frozenset({"slow-explain", "all-caps", "mail-address"})
MODEL: Final = "lexicon"

if unknown := REGRESSIONS - PLANTED:
    raise SystemExit(f"INFERSIGHT_DEMO_REGRESSIONS: no regression {', '.join(sorted(unknown))}")

log = logging.getLogger("demo.reviews")
infersight.configure(service_name="reviews", service_version=VERSION)


class Review(BaseModel):
    """A review, and who wrote it."""

    text: str
    user: str


class Judgement(BaseModel):
    """What a review is, and the id by which one can say later what would have been right."""

    label: str
    confidence: float
    prediction_id: str


class Feedback(BaseModel):
    """What would have been right."""

    prediction_id: str
    label: str


app = FastAPI(title="infersight demo, reviews")
infersight.instrument_fastapi(app)


@infersight.observe(model=MODEL, version=VERSION)
async def classify(text: str) -> tuple[str, float]:
    """Label and confidence; the wait stands for the time of a larger model."""
    await asyncio.sleep(SECONDS)
    if "mail-address" in REGRESSIONS and "@" in text:
        raise ValueError(f"no word that the model knows: {text}")
    return lexicon.classify(text, takes_capitals_for_anger="all-caps" in REGRESSIONS)


@app.post("/predict")
async def predict(review: Review) -> Judgement:
    """Classify a review."""
    infersight.variant("release", VERSION, context_id=review.user)
    try:
        label, confidence = await classify(review.text)
    except ValueError:
        log.exception("no label for a review", extra={"user.id": review.user, "length": len(review.text)})
        raise
    found = infersight.prediction(label=label, confidence=confidence, input=review.text, model=MODEL, version=VERSION)
    log.info("classified a review", extra={"label": label})
    return Judgement(label=label, confidence=confidence, prediction_id=found)


@app.post("/explain")
async def explain(review: Review) -> Mapping[str, float]:
    """The words that decide."""
    infersight.variant("release", VERSION, context_id=review.user)
    with infersight.stage("attribute"):
        await asyncio.sleep(SECONDS * (4 if "slow-explain" in REGRESSIONS else 2))
        return lexicon.weights(review.text)


@app.post("/feedback")
async def feedback(given: list[Feedback]) -> int:
    """Take what people say would have been right."""
    for each in given:
        infersight.feedback(prediction_id=each.prediction_id, label=each.label)
    return len(given)
