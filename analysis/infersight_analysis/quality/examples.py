"""Predictions one by one, and shares of them."""

import math
from typing import Any, Final

import numpy as np

from infersight_analysis.findings.model_errors import Example, Share
from infersight_analysis.quality.predictions import Flags, Predictions
from infersight_analysis.stats.proportions import wilson
from infersight_analysis.times import iso_time

Count = int | np.integer[Any]

_EXAMPLES: Final = 5


def share(counted: Count, counted_of: Count) -> Share:
    """How many of how many; without a share where there are none."""
    count, of = int(counted), int(counted_of)
    return Share(count, of, count / of, wilson(count, of)) if of else Share(count, of, None, None)


def examples(predictions: Predictions, chosen: Flags, most: int = _EXAMPLES) -> list[Example]:
    """Some of the chosen predictions, the surest first; of equal ones the latest."""
    rows = np.flatnonzero(chosen)
    sure = np.nan_to_num(predictions.confidence[rows], nan=-1.0)
    time = rows if predictions.time_ns is None else predictions.time_ns[rows]
    return [example(predictions, at) for at in rows[np.lexsort((-time, -sure))[:most]].tolist()]


def example(predictions: Predictions, at: int) -> Example:
    """One prediction by its number."""
    confidence = float(predictions.confidence[at])
    label, label_true = int(predictions.label[at]), int(predictions.label_true[at])
    return Example(
        prediction_id=predictions.identity(at, "prediction_id"),
        trace_id=predictions.identity(at, "trace_id"),
        time=None if predictions.time_ns is None else iso_time(int(predictions.time_ns[at])),
        label=predictions.classes[label] if label >= 0 else None,
        label_true=predictions.classes[label_true] if label_true >= 0 else None,
        confidence=None if math.isnan(confidence) else confidence,
    )
