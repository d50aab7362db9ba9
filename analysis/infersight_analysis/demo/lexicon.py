"""The model of the demo's reviews: words that speak for or against, always the same, right about what it knows."""

import re
from collections.abc import Mapping
from math import exp
from typing import Final

POSITIVE: Final = ("delightful", "excellent", "friendly", "great", "lovely", "reliable", "superb", "wonderful")
NEGATIVE: Final = ("awful", "broken", "dreadful", "dull", "poor", "rude", "slow", "terrible")

_WEIGHTS: Final = {**dict.fromkeys(POSITIVE, 2.0), **dict.fromkeys(NEGATIVE, -2.0)}
_WORD: Final = re.compile(r"[^\W\d_]+")
_SURE: Final = 4.0


def weights(text: str) -> Mapping[str, float]:
    """What each word of a text that the model knows says, more than 0 for praise."""
    words = (word.lower() for word in _WORD.findall(text))
    return {word: _WEIGHTS[word] for word in words if word in _WEIGHTS}


def classify(text: str, *, takes_capitals_for_anger: bool = False) -> tuple[str, float]:
    """The label of a review, `positive` or `negative`, and its probability.

    Args:
        text: the review.
        takes_capitals_for_anger: a bug that can be planted: what is written in capitals is negative, whatever it says,
            and the model is sure of it.
    """
    score = sum(weights(text).values())
    if takes_capitals_for_anger and text.isupper():
        score = -_SURE
    probability = 1 / (1 + exp(-score))
    return ("positive", probability) if score > 0 else ("negative", 1 - probability)
