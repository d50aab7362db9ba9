"""Histograms of durations, one a data point."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from infersight_collector.config.values import Duration

Ints: TypeAlias = npt.NDArray[np.int64]
Doubles: TypeAlias = npt.NDArray[np.float64]

_MAX_SCALE: Final = 20
"""The finest scale that OpenTelemetry's histograms begin with: 2^20 buckets for each doubling."""

_NANOSECONDS: Final = {"ms": 1e6, "s": 1e9}
_DEFAULT_MS: Final = (2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1000, 1400, 2000, 5000, 10_000, 15_000)


def _default_buckets() -> list[Duration]:
    return [Duration(bound / 1000) for bound in _DEFAULT_MS]


@dataclass
class ExplicitHistogram:
    """A histogram with given bounds.

    Attributes:
        buckets: the upper bounds of the buckets, ascending; the last bucket has none.
    """

    buckets: list[Duration] = field(default_factory=_default_buckets)

    def __post_init__(self) -> None:
        """Raises ValueError for bounds that are no buckets."""
        if not self.buckets or any(a >= b for a, b in zip(self.buckets, self.buckets[1:], strict=False)):
            raise ValueError("'buckets' are durations in ascending order, as in [10ms, 100ms, 1s]")


@dataclass
class ExponentialHistogram:
    """A histogram whose buckets adapt to the durations.

    Attributes:
        max_size: most buckets; the more, the finer.
    """

    max_size: int = 160

    def __post_init__(self) -> None:
        """Raises ValueError for too few buckets."""
        if self.max_size < 2:
            raise ValueError("'max_size' must be at least 2")


@dataclass
class Histogram:
    """How durations are recorded.

    Attributes:
        unit: of the durations.
        explicit: a histogram with given bounds, the default.
        exponential: one whose buckets adapt.
    """

    unit: Literal["ms", "s"] = "ms"
    explicit: ExplicitHistogram | None = None
    exponential: ExponentialHistogram | None = None

    def __post_init__(self) -> None:
        """Raises ValueError where both kinds are given."""
        if self.explicit and self.exponential:
            raise ValueError("use either 'explicit' or 'exponential': a histogram is of one kind")

    @property
    def type(self) -> str:
        """The metric's type, as in the table `metrics`."""
        return "exponential_histogram" if self.exponential else "histogram"

    def in_unit(self, nanoseconds: Ints) -> Doubles:
        """Durations in the unit."""
        return nanoseconds / _NANOSECONDS[self.unit]

    def columns(self, observed: "Observed") -> dict[str, Any]:
        """The columns of the table `metrics` that a histogram has, one row a data point."""
        lowest, highest = np.full(observed.points, np.inf), np.full(observed.points, -np.inf)
        np.minimum.at(lowest, observed.point, observed.value)
        np.maximum.at(highest, observed.point, observed.value)
        return {
            "count": pa.array(observed.sums(observed.count)),
            "sum": pa.array(np.bincount(observed.point, observed.value * observed.count, observed.points)),
            "min": pa.array(lowest),
            "max": pa.array(highest),
            **self._buckets(observed),
        }

    def _buckets(self, observed: "Observed") -> dict[str, Any]:
        if self.exponential:
            return exponential_buckets(observed, self.exponential.max_size)
        buckets = (self.explicit or ExplicitHistogram()).buckets
        nanoseconds = np.array([round(bound * 1e9) for bound in buckets], np.int64)
        return explicit_buckets(observed, self.in_unit(nanoseconds))


@dataclass(frozen=True, slots=True)
class Observed:
    """Values that data points are made of.

    Attributes:
        point: the data point of each value, int64 `[values]`.
        value: not negative, float64 `[values]`.
        count: how often each was observed, at least 1, int64 `[values]`.
        points: the number of data points; each has a value.
    """

    point: Ints
    value: Doubles
    count: Ints
    points: int

    def sums(self, numbers: Ints) -> Ints:
        """The sum of numbers, one a value, for each data point."""
        found = np.zeros(self.points, np.int64)
        np.add.at(found, self.point, numbers)
        return found


def explicit_buckets(observed: Observed, bounds: Doubles) -> dict[str, Any]:
    """Counts between bounds, the upper one included in each bucket."""
    buckets = len(bounds) + 1
    counts = np.zeros(observed.points * buckets, np.int64)
    np.add.at(counts, observed.point * buckets + np.searchsorted(bounds, observed.value), observed.count)
    lengths = np.full(observed.points, buckets)
    return {
        "bounds": _lists(np.tile(bounds, observed.points), lengths - 1),
        "bucket_counts": _lists(counts, lengths),
    }


def exponential_buckets(observed: Observed, max_size: int) -> dict[str, Any]:
    """Counts in buckets that grow by a constant factor, as fine as so many buckets allow for each data point.

    Bucket `i` at scale `s` has the values above 2^(i / 2^s) and up to 2^((i + 1) / 2^s); see the OpenTelemetry data
    model. One scale coarser, two neighbours are one: half of the index, rounded down.
    """
    positive = observed.value > 0
    point, count = observed.point[positive], observed.count[positive]
    index = np.ceil(np.log2(observed.value[positive]) * 2.0**_MAX_SCALE).astype(np.int64) - 1
    first, last = np.full(observed.points, np.iinfo(np.int64).max), np.full(observed.points, np.iinfo(np.int64).min)
    np.minimum.at(first, point, index)
    np.maximum.at(last, point, index)
    is_empty = first > last
    first, last = np.where(is_empty, 0, first), np.where(is_empty, -1, last)
    coarser = np.zeros(observed.points, np.int64)
    while (too_many := (last >> coarser) - (first >> coarser) >= max_size).any():
        coarser += too_many
    offset = first >> coarser
    lengths = np.where(is_empty, 0, (last >> coarser) - offset + 1)
    starts = np.cumsum(lengths) - lengths
    counts = np.zeros(int(lengths.sum()), np.int64)
    np.add.at(counts, starts[point] + (index >> coarser[point]) - offset[point], count)
    none = np.zeros(observed.points, np.int64)
    return {
        "scale": pa.array((_MAX_SCALE - coarser).astype(np.int32)),
        "zero_count": pa.array(observed.sums(np.where(positive, 0, observed.count))),
        "zero_threshold": pa.array(np.zeros(observed.points)),
        "positive_offset": pa.array(offset.astype(np.int32)),
        "positive_bucket_counts": _lists(counts, lengths),
        "negative_offset": pa.array(none.astype(np.int32)),
        "negative_bucket_counts": _lists(none[:0], none),
    }


def _lists(values: "Ints | Doubles", lengths: Ints) -> Any:
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values))
