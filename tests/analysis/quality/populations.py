"""Predictions of which some are wrong, by chance or because of what their inputs are like."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Columns = dict[str, Any]
Risk = Callable[[Columns], npt.NDArray[np.float64]]

BASE = 0.06
"""The chance that a prediction is wrong without any reason."""


@dataclass(frozen=True)
class Effect:
    """What makes predictions wrong.

    Args:
        name: what it is called.
        attributes: what must be found.
        risk: the chance that each prediction is wrong.
    """

    name: str
    attributes: tuple[str, ...]
    risk: Risk


def _where(condition: Callable[[Columns], Any], times: float) -> Risk:
    return lambda of: np.where(condition(of), BASE * times, BASE)


EFFECTS = (
    Effect("a value", ("case",), _where(lambda of: of["case"] == "upper", 6)),
    Effect("large numbers", ("length",), _where(lambda of: of["length"] > 400, 6)),
    Effect("numbers in a range", ("length",), _where(lambda of: (of["length"] > 50) & (of["length"] < 70), 6)),
    Effect(
        "a pair of values, each of which makes no difference without the other",
        ("device", "region"),
        _where(lambda of: (of["region"] == "eu") & (of["device"] == "cuda:1"), 8),
    ),
)


def table(count: int, seed: int, effect: Effect | None = None) -> Columns:
    """Predictions of two classes; a tenth is all in capitals."""
    chance = np.random.default_rng(seed)
    columns: Columns = {
        "prediction_id": [f"p{number}" for number in range(count)],
        "case": chance.choice(["lower", "mixed", "upper"], count, p=[0.6, 0.3, 0.1]),
        "length": np.round(np.exp(chance.normal(4.5, 1, count))),
        "tenant": chance.choice([f"tenant-{number}" for number in range(10)], count),
        "user": chance.integers(0, 3_000, count).astype(str),
        "region": chance.choice(["eu", "us", "asia"], count),
        "device": chance.choice(["cuda:0", "cuda:1", "cuda:2"], count),
        "batch_size": chance.choice([1, 2, 4, 8, 16], count),
        "score": chance.random(count),
        "version": chance.choice(["1", "2"], count, p=[0.9, 0.1]),
    }
    wrong = chance.random(count) < (np.full(count, BASE) if effect is None else effect.risk(columns))
    is_positive = chance.random(count) < 0.4
    label_true = np.where(is_positive, "positive", "negative")
    label = np.where(is_positive ^ wrong, "positive", "negative")
    confidence = np.where(wrong, chance.uniform(0.5, 0.95, count), chance.beta(8, 1.5, count))
    return {**columns, "label": label, "label_true": label_true, "confidence": np.clip(confidence, 0, 1)}
