"""A store with the requests, predictions and feedback of a classifier that is wrong where a text is in capitals."""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.analysis.recording import MS, SECOND, Recording, Source

from infersight._characterise import characterise

TEXTS = ("a good day", "Bad food at 12", "I hated it!", "so and so", "it was fine, and then it was not so fine")


def predict(
    recording: Recording,
    number: int,
    text: str,
    label: str,
    *,
    right: str | None = None,
    version: str = "1",
    facts: Mapping[str, Any] | None = None,
) -> None:
    """One request, with its prediction a millisecond later, and, where it is known, a day later what was right."""
    start = number * SECOND
    source: Source = ("sentiment", "sentiment-1", version)
    about = {"http.route": "/predict", "app.tenant": f"tenant-{number % 3}", "infersight.batch.size": 1 + number % 4}
    recording.span(number, 1, "POST /predict", start, 50 * MS, kind="SERVER", attributes=about, source=source)
    attributes = {
        "infersight.prediction.id": f"p{number}",
        "infersight.prediction.label": label,
        "infersight.model.name": "sentiment",
        "infersight.model.version": version,
        **characterise(text),
        **(facts or {}),
    }
    recording.log(
        start + MS, "predicted", trace=number, span=1, event_name="infersight.prediction", attributes=attributes,
        source=source,
    )  # fmt: skip
    if right is not None:
        feedback = {"infersight.prediction.id": f"p{number}", "infersight.feedback.label": right}
        recording.log(
            start + 86_400 * SECOND, "feedback", event_name="infersight.feedback", attributes=feedback, source=source
        )


def sentiment(path: Path, *, predictions: int = 600, labels: bool = True, inputs: bool = False) -> Path:
    """A store of one model, of which every tenth text is in capitals: nearly always wrong there, and sure of it."""
    recording, chance = Recording(), random.Random(1)
    for number in range(1, predictions + 1):
        text = chance.choice(TEXTS)
        text = text.upper() if number % 10 == 0 else text
        right = chance.choice(["positive", "negative"])
        is_wrong = chance.random() < (0.9 if text.isupper() else 0.04)
        label = right if not is_wrong else "negative" if right == "positive" else "positive"
        confidence = chance.uniform(0.92, 0.99) if text.isupper() or not is_wrong else chance.uniform(0.5, 0.7)
        facts: dict[str, Any] = {"infersight.prediction.confidence": confidence}
        if inputs:
            facts["infersight.input.value"] = f"{text} {number}"
        predict(recording, number, text, label, right=right if labels else None, facts=facts)
    return recording.write(path)
