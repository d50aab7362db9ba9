"""What is compared of predictions, and how it is counted: one feature of the reference and of the others, in bins."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from infersight_analysis.cohorts.columns import Column
from infersight_analysis.quality.predictions import INPUT, Codes, Feature, Numbers, Predictions
from infersight_analysis.stats.divergence import Divergence, edges_of

Kind = Literal["input", "prediction", "confidence", "rightness", "segment"]

NONE: Final = "none"
OTHER: Final = "other"

_FEW: Final = 20
_LEAST_EXPECTED: Final = 5
_PROCESS: Final = (
    *("service", "host.", "process.", "telemetry.", "os.", "container.", "k8s.", "cloud.", "deployment."),
    "infersight.model.",
)
"""Beginnings of what says where and by what it was predicted; a restart changes that, and is no drift."""


def observed(predictions: Predictions) -> Iterator[tuple[Kind, Feature]]:
    """What may drift: the labels, the confidence, whether it is right, the inputs, and whom they come from."""
    everything = np.arange(len(predictions), dtype=np.int32)
    if (predictions.label >= 0).any():
        known = np.flatnonzero(predictions.label >= 0).astype(np.int32)
        labels = Column(known, predictions.label[known].astype(np.uint64))
        yield "prediction", Feature("label", labels, predictions.classes, "label{}")
    if predictions.error_type is not None:
        failed = Column(everything, predictions.is_failed.astype(np.uint64))
        yield "prediction", Feature("failed", failed, ["no", "yes"], "(error_type is not null){}")
    if not np.isnan(predictions.confidence).all():
        yield "confidence", Feature("confidence", Column.of(predictions.confidence), None, "confidence{}")
    judged = np.flatnonzero(predictions.is_judged).astype(np.int32)
    if len(judged):
        wrong = Column(judged, predictions.is_wrong[judged].astype(np.uint64))
        yield "rightness", Feature("wrong", wrong, ["no", "yes"], "(label <> label_true){}")
    characterised = any(each.name.startswith(INPUT) for each in predictions.features)
    for each in predictions.features:
        is_input = each.name.startswith(INPUT) or not characterised
        # Numbers of requests are how they went: an event loop's lag is no input.
        if each.name.startswith(_PROCESS) or not (is_input or each.texts is not None):
            continue
        for one in _each(each, len(predictions)):
            yield ("input" if is_input else "segment"), one


def _each(feature: Feature, count: int) -> Iterator[Feature]:
    """The feature; of one that a prediction may have several of, whether it has each of them."""
    if not feature.many:
        yield feature
        return
    for code, text in enumerate((feature.texts or [])[:_FEW]):
        having = np.zeros(count, np.uint64)
        having[feature.column.rows[feature.column.values == code]] = 1
        column = Column(np.arange(count, dtype=np.int32), having)
        yield replace(feature, name=f"{feature.name}: {text}", column=column, texts=["no", "yes"], many=False)


@dataclass(frozen=True)
class Distributions:
    """One feature in both samples.

    Args:
        names: of the bins.
        reference: the bin of each prediction of the reference.
        current: the bin of each of the others.
        numbers: the numbers in both, where it is one of many values.
    """

    names: list[str]
    reference: Codes
    current: Codes
    numbers: tuple[Numbers, Numbers] | None

    @property
    def divergence(self) -> Divergence:
        """How far they are apart."""
        bins = len(self.names)
        return Divergence(np.bincount(self.reference, minlength=bins), np.bincount(self.current, minlength=bins))

    @classmethod
    def of(cls, reference: Feature, current: Feature, sizes: tuple[int, int]) -> "Distributions | None":
        """Of a feature in both samples; None where it is a number in one and a text in the other, or never varies.

        Args:
            reference: the feature in the reference.
            current: the same in the other sample.
            sizes: how many predictions there are in each.
        """
        if reference.is_number != current.is_number:
            return None
        both = reference.values(sizes[0]), current.values(sizes[1])
        if not reference.is_number:
            texts: list[str] = sorted({*(reference.texts or ()), *(current.texts or ())})
            return _of_values(texts, _joined(texts, reference, both[0]), _joined(texts, current, both[1]))
        known = both[0][~np.isnan(both[0])], both[1][~np.isnan(both[1])]
        if not len(known[0]) or not len(known[1]):
            return None
        distinct = np.unique(np.concatenate(known))
        if len(distinct) <= _FEW:
            codes = [np.where(np.isnan(each), -1, np.searchsorted(distinct, each)).astype(np.int32) for each in both]
            return _of_values([f"{value:.6g}" for value in distinct.tolist()], *codes)
        return _of_ranges(both, known)


def _joined(texts: list[str], feature: Feature, codes: Codes) -> Codes:
    """The indices of a feature's texts among those of both samples; -1 stays."""
    place = {text: at for at, text in enumerate(texts)}
    moved = np.array([*(place[text] for text in feature.texts or []), -1], np.int32)
    return moved[codes]


def _of_values(names: list[str], reference: Codes, current: Codes) -> Distributions | None:
    """Values of which fewer than five are expected in either sample are one bin, as is having none."""
    size = len(names) + 1
    counts = np.array([np.bincount(each + 1, minlength=size) for each in (reference, current)])
    sizes = counts.sum(axis=1)
    expected = counts.sum(axis=0) * sizes.min() / sizes.sum()
    shown = np.flatnonzero(expected >= _LEAST_EXPECTED)
    place = np.full(size, len(shown), np.int32)
    place[shown] = np.arange(len(shown))
    named = [NONE if at == 0 else names[at - 1] for at in shown.tolist()]
    if counts.sum() > counts[:, shown].sum():
        named.append(OTHER)
    return Distributions(named, place[reference + 1], place[current + 1], None) if len(named) > 1 else None


def _of_ranges(both: tuple[npt.NDArray[np.float64], ...], known: tuple[Numbers, Numbers]) -> Distributions:
    """Ranges of equally many numbers of the reference, and having none."""
    edges = edges_of(known[0])
    ends = [f"{edge:.6g}" for edge in edges.tolist()]
    inner = (f"> {low}, <= {high}" for low, high in pairwise(ends))
    names = [f"<= {ends[0]}", *inner, f"> {ends[-1]}"]
    codes = [
        np.where(np.isnan(each), len(names), np.searchsorted(edges, each, "left")).astype(np.int32) for each in both
    ]
    if any(len(numbers) < len(each) for numbers, each in zip(known, both, strict=True)):
        names.append(NONE)
    occurring = np.flatnonzero(sum(np.bincount(each, minlength=len(names)) for each in codes))
    place = np.searchsorted(occurring, np.arange(len(names))).astype(np.int32)
    named = [names[at] for at in occurring.tolist()]
    return Distributions(named, place[codes[0]], place[codes[1]], known)
