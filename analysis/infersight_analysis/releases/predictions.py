"""What both versions predicted: which labels, how confident, and how often right where that is known by now."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import nan, sqrt
from typing import Final

import duckdb

from infersight_analysis.reading import query
from infersight_analysis.releases.estimates import Bounds, of_error, score
from infersight_analysis.releases.measures import Figure
from infersight_analysis.releases.times import Side

_MOST_LABELS: Final = 20


@dataclass(frozen=True)
class LabelCount:
    """How often a version gave a label of a model; sums are of weights, see `releases/predictions.sql`."""

    model: str
    label: str
    recorded: int
    weight: float
    squares: float
    with_confidence: int
    confidence_weight: float
    confidence_sum: float
    confidence_squares: float
    labelled: int
    labelled_weight: float
    labelled_squares: float
    right_weight: float


def read_predictions(connection: duckdb.DuckDBPyConnection, service: str, side: Side) -> list[LabelCount]:
    """What a version predicted, by label.

    Args:
        connection: from `connect`.
        service: its name.
        side: which version, and when.
    """
    rows = connection.execute(query("releases/predictions"), side.parameters(service)).fetchall()
    return [LabelCount(*row) for row in rows]


def figures(
    baseline: Sequence[LabelCount], candidate: Sequence[LabelCount], confidence: float
) -> Iterator[tuple[str, Figure]]:
    """The figures of predictions, each with the name of its limit; none where a version predicted nothing.

    The labels share the confidence between them, so that many labels are no reason to find one that changed.
    """
    if not baseline or not candidate:
        return
    if any(each.labelled for each in baseline) and any(each.labelled for each in candidate):
        a, b = (_accuracy(side, confidence) for side in (baseline, candidate))
        yield "accuracy", Figure("accuracy", "share", a, b, _counts(baseline, candidate, "labelled"))
    if any(each.with_confidence for each in baseline) and any(each.with_confidence for each in candidate):
        a, b = (_confidence(side, confidence) for side in (baseline, candidate))
        yield "confidence", Figure("mean confidence", "share", a, b, _counts(baseline, candidate, "with_confidence"))
    labels = _labels(baseline, candidate)
    of_each = 1 - (1 - confidence) / len(labels)
    sides = [_shares(side, labels, of_each) for side in (baseline, candidate)]
    counts = _counts(baseline, candidate, "recorded")
    several = len({model for model, _ in labels}) > 1
    for model, label in labels:
        name = f"predicts {model + ': ' if several else ''}{label}"
        yield "predictions", Figure(name, "share", sides[0][model, label], sides[1][model, label], counts)


def _accuracy(counts: Sequence[LabelCount], confidence: float) -> Bounds:
    weight = sum(each.labelled_weight for each in counts)
    size = weight**2 / sum(each.labelled_squares for each in counts)
    return score(sum(each.right_weight for each in counts) / weight, size, confidence)


def _confidence(counts: Sequence[LabelCount], confidence: float) -> Bounds:
    weight = sum(each.confidence_weight for each in counts)
    mean = sum(each.confidence_sum for each in counts) / weight
    variance = max(0.0, sum(each.confidence_squares for each in counts) / weight - mean**2)
    size = _size(counts)
    return of_error(mean, sqrt(variance / size), size, confidence)


def _shares(
    counts: Sequence[LabelCount], labels: Sequence[tuple[str, str]], confidence: float
) -> Mapping[tuple[str, str], Bounds]:
    weights = {(each.model, each.label): each.weight for each in counts}
    total, size = sum(weights.values()), _size(counts)
    return {label: score(weights.get(label, 0.0) / total if total else nan, size, confidence) for label in labels}


def _labels(*sides: Sequence[LabelCount]) -> list[tuple[str, str]]:
    """The most frequent labels of both versions together; of two one says what the other does."""
    weights: dict[tuple[str, str], float] = {}
    for side in sides:
        total = sum(each.weight for each in side)
        for each in side:
            weights[each.model, each.label] = weights.get((each.model, each.label), 0.0) + each.weight / total
    ordered = sorted(weights, key=lambda label: (-weights[label], label))
    return ordered[:1] if len(ordered) == 2 else ordered[:_MOST_LABELS]


def _size(counts: Sequence[LabelCount]) -> float:
    """How many predictions of equal weight vary as much."""
    return sum(each.weight for each in counts) ** 2 / sum(each.squares for each in counts)


def _counts(baseline: Sequence[LabelCount], candidate: Sequence[LabelCount], name: str) -> tuple[int, int]:
    a, b = (sum(int(getattr(each, name)) for each in side) for side in (baseline, candidate))
    return a, b
