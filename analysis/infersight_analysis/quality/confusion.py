"""What was predicted by what was right, and how well each class is told."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from infersight_analysis.findings.model_errors import ClassQuality, Confusion
from infersight_analysis.quality.examples import share
from infersight_analysis.quality.predictions import Predictions

MOST_CLASSES: Final = 12
"""Classes that are shown by themselves; the others are one."""

_MISTAKEN: Final = 3

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Cells:
    """The cells of the table of true and predicted labels that occur; one element a cell, most often first.

    Args:
        classes: the labels.
        true: index of what was right.
        predicted: index of what was predicted.
        count: how many judged predictions.
    """

    classes: list[str]
    true: Counts
    predicted: Counts
    count: Counts

    @classmethod
    def of(cls, predictions: Predictions) -> "Cells":
        """Of the predictions that are judged."""
        judged = predictions.is_judged
        cell = predictions.label_true[judged].astype(np.int64) * len(predictions.classes) + predictions.label[judged]
        found, count = np.unique(cell, return_counts=True)
        order = np.argsort(-count, kind="stable")
        true, predicted = np.divmod(found[order], max(1, len(predictions.classes)))
        return cls(predictions.classes, true, predicted, count[order].astype(np.int64))

    @property
    def totals(self) -> tuple[Counts, Counts, Counts]:
        """Of each class how many were right, predicted, and true."""
        right = self.true == self.predicted
        size = len(self.classes)
        sums = [
            np.bincount(of, self.count[chosen], minlength=size).astype(np.int64)
            for of, chosen in (
                (self.true[right], right),
                (self.predicted, slice(None)),
                (self.true, slice(None)),
            )
        ]
        return sums[0], sums[1], sums[2]

    def qualities(self) -> list[ClassQuality]:
        """How well each class is told, the most frequent first; classes that nobody judged are left out."""
        right, predicted, true = self.totals
        mistaken: dict[int, list[tuple[str, int]]] = {}
        cells: list[tuple[int, int, int]] = np.column_stack([self.true, self.predicted, self.count]).tolist()
        for of, taken, count in cells:
            if of != taken and len(mistaken.setdefault(of, [])) < _MISTAKEN:
                mistaken[of].append((self.classes[taken], count))
        often = predicted + true
        order = np.argsort(-often, kind="stable")
        shown: list[int] = order[often[order] > 0].tolist()
        return [
            ClassQuality(
                label=self.classes[at],
                precision=share(int(right[at]), int(predicted[at])),
                recall=share(int(right[at]), int(true[at])),
                f1=2 * float(right[at]) / float(predicted[at] + true[at]),
                mistaken_for=mistaken.get(at, []),
            )
            for at in shown
        ]

    def table(self) -> Confusion | None:
        """The most frequent classes, in their own order; None where nothing is judged."""
        _, predicted, true = self.totals
        often = predicted + true
        if not often.any():
            return None
        shown = np.argsort(-often, kind="stable")
        shown = np.sort(shown[often[shown] > 0][:MOST_CLASSES])
        place = np.full(len(self.classes), len(shown))
        place[shown] = np.arange(len(shown))
        counts = np.zeros((len(shown) + 1, len(shown) + 1), np.int64)
        np.add.at(counts, (place[self.true], place[self.predicted]), self.count)
        numbers: list[int] = shown.tolist()
        labels = [self.classes[at] for at in numbers]
        if counts[-1].any() or counts[:, -1].any():
            return Confusion([*labels, "other"], counts.tolist())
        return Confusion(labels, counts[:-1, :-1].tolist())
