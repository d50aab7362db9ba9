"""How sure a model was, and whether it was right to be."""

from dataclasses import replace
from typing import Final

import numpy as np

from infersight_analysis.findings.model_errors import Calibration, ConfidenceBand, ReliabilityBin
from infersight_analysis.quality.examples import examples, share
from infersight_analysis.quality.predictions import Predictions
from infersight_analysis.stats.calibration import Reliability, overconfidence, reliability

_LEVEL: Final = 0.05
_LEAST: Final = 20
"""Fewer predictions tell nothing of calibration."""


def bands(predictions: Predictions, sure: float, unsure: float) -> list[ConfidenceBand]:
    """The predictions by how sure the model was, the surest first; none without confidences."""
    confidence = predictions.confidence
    if np.isnan(confidence).all():
        return []
    parts = (
        ("sure", sure, 1.0, confidence > sure),
        ("between", unsure, sure, (confidence >= unsure) & (confidence <= sure)),
        ("unsure", 0.0, unsure, confidence < unsure),
    )
    return [
        ConfidenceBand(
            name,
            low,
            high,
            predictions=int(np.count_nonzero(members)),
            wrong=share(
                np.count_nonzero(members & predictions.is_wrong), np.count_nonzero(members & predictions.is_judged)
            ),
            examples=examples(predictions, members & predictions.is_wrong),
        )
        for name, low, high, members in parts
    ]


def calibration(predictions: Predictions) -> Calibration | None:
    """Whether it is right as often as it says; None where too few are judged and have a confidence."""
    chosen = predictions.is_judged & ~np.isnan(predictions.confidence)
    count = int(np.count_nonzero(chosen))
    if count < _LEAST:
        return None
    confidence, is_right = predictions.confidence[chosen], ~predictions.is_wrong[chosen]
    grouped = reliability(confidence, is_right)
    over, low, high = overconfidence(confidence, is_right)
    found = Calibration(
        predictions=count,
        confidence=float(confidence.mean()),
        accuracy=float(is_right.mean()),
        overconfidence=over,
        overconfidence_interval=(low, high),
        expected_error=grouped.debiased_error,
        expected_error_interval=grouped.error_interval(),
        plain_error=grouped.error,
        p_value=grouped.p_value,
        statement="",
        bins=_bins(grouped),
    )
    return replace(found, statement=_statement(found))


def _bins(grouped: Reliability) -> list[ReliabilityBin]:
    columns = (grouped.low, grouped.high, grouped.confidence, grouped.count, grouped.accuracy)
    return [
        ReliabilityBin(low, high, confidence, share(round(accuracy * count), count))
        for low, high, confidence, count, accuracy in zip(*(each.tolist() for each in columns), strict=True)
    ]


def _statement(found: Calibration) -> str:
    said = f"it says {found.confidence:.2f} on average and is right in {100 * found.accuracy:.1f} %"
    low, high = found.expected_error_interval
    error = f"expected calibration error {found.expected_error:.3f} ({low:.3f} to {high:.3f})"
    if found.p_value > _LEVEL:
        return f"{said}: as often as it says, as far as {found.predictions:,} predictions tell; {error}"
    low, high = sorted(100 * abs(end) for end in found.overconfidence_interval)
    how = "too sure" if found.overconfidence > 0 else "not sure enough"
    over = f"{how} by {100 * abs(found.overconfidence):.1f} points ({low:.1f} to {high:.1f})"
    if found.overconfidence_interval[0] * found.overconfidence_interval[1] <= 0:
        over = "as often as it says on average, but not at each confidence"
    worst = max(found.bins, key=lambda each: abs(each.confidence - (each.right.share or 0)) * each.right.of)
    at = f"most between {worst.low:.2f} and {worst.high:.2f}, where {100 * (worst.right.share or 0):.0f} % are right"
    return f"{said}: {over}, {at}; {error}"
