"""What was observed in an experiment, wherever it was read from, and whom it was observed of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from infersight_analysis.errors import AnalysisError
from infersight_analysis.experiments.metrics import Metric

Numbers = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NONE: Final = -1
"""The code of what has no value."""


@dataclass(frozen=True)
class Labels:
    """A text of each row, or none.

    Args:
        codes: the place of each row's text in `names`, `NONE` where it has none.
        names: the texts, each once.
    """

    codes: Codes
    names: tuple[str, ...]

    @classmethod
    def of(cls, texts: Sequence[str | None]) -> Self:
        """Those of texts."""
        place: dict[str, int] = {}
        codes = [NONE if text is None else place.setdefault(text, len(place)) for text in texts]
        return cls(np.array(codes, np.int64), tuple(place))

    def at(self, rows: Codes | Flags) -> "Labels":
        """Those of some rows."""
        return Labels(self.codes[rows], self.names)

    def ordered(self, names: Sequence[str]) -> "Labels":
        """The same with its texts in another order."""
        place = [names.index(name) for name in self.names]
        return Labels(np.array([*place, NONE], np.int64)[self.codes], tuple(names))

    def completed(self, others: "Labels", called: str) -> "Labels":
        """The same, and where a row has none another text of it, after what that is called, as in `trace 4bf92f`."""
        without = np.flatnonzero(self.codes == NONE)
        own, codes = np.unique(others.codes[without], return_inverse=True)
        completed = self.codes.copy()
        completed[without] = len(self.names) + codes
        return Labels(completed, (*self.names, *(f"{called} {others.names[code]}" for code in own)))

    def counted(self, other: "Labels") -> npt.NDArray[np.int64]:
        """How often each text occurs with each of another's; rows without either are left out."""
        known = (self.codes >= 0) & (other.codes >= 0)
        both = self.codes[known] * len(other.names) + other.codes[known]
        size = len(self.names) * len(other.names)
        return np.bincount(both, minlength=size).reshape(len(self.names), len(other.names))


@dataclass(frozen=True)
class Outcome:
    """The values of a metric: some exposures have none, others several.

    Args:
        metric: what is measured.
        row: the exposure of each value.
        value: the values.
        divisor: what the sum is divided by, of a ratio; 1 of anything else.
    """

    metric: Metric
    row: Codes
    value: Numbers
    divisor: Numbers

    @classmethod
    def of(cls, metric: Metric, row: Codes, value: Numbers, divisor: Numbers) -> Self:
        """The same with the metric's statistic, which the values tell where it was not said.

        Raises:
            AnalysisError: a rate of what is not only 0 and 1.
        """
        is_binary = bool(np.isin(value, (0.0, 1.0)).all())
        if metric.statistic is None:
            metric = replace(metric, statistic="rate" if is_binary else "mean")
        if metric.statistic == "rate" and not is_binary:
            raise AnalysisError(f"{metric.measured} is not only 0 and 1: ask for its mean, or for any of it")
        return cls(metric, row, value, divisor)


@dataclass(frozen=True)
class Observations:
    """The exposures of an experiment, in the order of time: one a request, or a row of a table.

    Args:
        arm: the variant of each; the baseline is first among the names.
        unit: what was assigned to the variant: a user, a session, or the exposure itself.
        time_ns: when, nanoseconds since the epoch; None where that is not known.
        weight: how many exposures each stands for, by sampling.
        ids: a trace id of each, or none in a table.
        segments: what is known about each beside the outcome, of few values.
        declared: names of those segments that are said to have been there before the variant.
        may_follow: whether other segments may come from the variant, as attributes of a request may.
        others: the variants of other experiments that it got.
        outcomes: the values of the metrics.
        covariates: by what metrics measure, a value of each unit from before the experiment, NaN where it has none.
        unit_is: what a unit is called, such as `user.id`.
        rows_are: what an exposure is called, such as `requests`.
        sql: queries that show the exposures.
        notes: what was left out in reading.
    """

    arm: Labels
    unit: Labels
    time_ns: Codes | None
    weight: Numbers
    ids: Sequence[str]
    segments: Mapping[str, Labels]
    others: Mapping[str, Labels]
    outcomes: Sequence[Outcome]
    covariates: Mapping[str, Numbers]
    unit_is: str
    rows_are: str
    declared: frozenset[str] = frozenset()
    may_follow: bool = False
    sql: Sequence[str] = ()
    notes: Sequence[str] = field(default_factory=list[str])

    def __len__(self) -> int:
        return len(self.arm.codes)

    @property
    def arms(self) -> tuple[str, ...]:
        """The variants, the baseline first."""
        return self.arm.names

    @cached_property
    def is_weighted(self) -> bool:
        """Whether exposures stand for different numbers of others."""
        return bool(len(self.weight)) and bool(np.ptp(self.weight) > 0)

    @cached_property
    def first_row(self) -> Codes:
        """The first exposure of each unit."""
        first = np.full(len(self.unit.names), len(self), np.int64)
        np.minimum.at(first, self.unit.codes, np.arange(len(self)))
        return first

    @cached_property
    def is_mixed(self) -> Flags:
        """Whether each unit was exposed to more than one variant."""
        mixed = np.zeros(len(self.unit.names), np.bool_)
        mixed[self.unit.codes[self.arm.codes != self.arm.codes[self.first_row[self.unit.codes]]]] = True
        return mixed

    @cached_property
    def unit_arm(self) -> Codes:
        """The variant of each unit, `NONE` of those that had several."""
        return np.where(self.is_mixed, NONE, self.arm.codes[self.first_row])

    def of_units(self, labels: Labels) -> Labels:
        """What each unit had at its first exposure."""
        return labels.at(self.first_row)
