"""What `histogram_quantile` has to answer: increments by series, merged, and Prometheus' arithmetic."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar


@dataclass(frozen=True)
class Explicit:
    """A data point of a histogram with explicit bounds; times in nanoseconds."""

    series: str
    time_ns: int
    start_ns: int | None
    is_delta: bool
    bounds: tuple[float, ...]
    counts: tuple[int, ...]

    @property
    def count(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True)
class Exponential:
    """A data point of an exponential histogram: buckets by their index, negative ones by that of their size."""

    series: str
    time_ns: int
    start_ns: int | None
    is_delta: bool
    scale: int
    zero_count: int
    zero_threshold: float
    positive: dict[int, int]
    negative: dict[int, int]

    @property
    def count(self) -> int:
        return self.zero_count + sum(self.positive.values()) + sum(self.negative.values())

    def at(self, scale: int) -> "tuple[Counter[int], Counter[int]]":
        """Positive and negative buckets at a coarser scale."""
        return _coarser(self.positive, self.scale - scale), _coarser(self.negative, self.scale - scale)


def _coarser(buckets: dict[int, int], steps: int) -> "Counter[int]":
    merged: Counter[int] = Counter()
    for index, count in buckets.items():
        # (b^i, b^(i+1)] lies in (b^(2j), b^(2j+2)] with j the floor of i / 2.
        merged[math.floor(index / 2**steps)] += count
    return merged


def explicit_quantile(points: Iterable[Explicit], q: float, since_ns: int | None) -> tuple[int, float | None]:
    """The number of measurements, and their quantile as PromQL's `histogram_quantile` interpolates it."""
    increments = [piece for series in _by_series(points).values() for piece in _explicit_increments(series, since_ns)]
    total = sum(sum(counts) for _, counts in increments)
    layouts = [bounds for bounds, _ in increments]
    bounds = [bound for bound in layouts[0] if all(bound in layout for layout in layouts)] if layouts else []
    cumulative = [sum(c for bs, cs in increments for b, c in zip(bs, cs, strict=False) if b <= top) for top in bounds]
    return total, bucket_quantile(q, [*zip(bounds, cumulative, strict=True), (math.inf, total)])


def _explicit_increments(
    series: Sequence[Explicit], since_ns: int | None
) -> Iterable[tuple[tuple[float, ...], tuple[int, ...]]]:
    before: Explicit | None = None
    for point in series:
        wanted = since_ns is None or point.time_ns >= since_ns
        if point.is_delta:
            piece = point.counts
        elif before is None:
            wanted = wanted and (since_ns is None or (point.start_ns is not None and point.start_ns >= since_ns))
            piece = point.counts
        elif _restarted(before, point) or before.bounds != point.bounds:
            piece = point.counts
        else:
            piece = tuple(now - then for now, then in zip(point.counts, before.counts, strict=True))
            if min(piece) < 0 and point.start_ns is None:
                piece = point.counts
        before = point
        if wanted and any(piece):
            yield point.bounds, piece


def _restarted(before: Explicit | Exponential, point: Explicit | Exponential) -> bool:
    return before.start_ns != point.start_ns or point.count < before.count


def bucket_quantile(q: float, buckets: Sequence[tuple[float, float]]) -> float | None:
    """Prometheus' `BucketQuantile`: upper bounds with cumulative counts, the last bound infinite."""
    observations = buckets[-1][1]
    if len(buckets) < 2 or observations == 0:
        return None
    rank = q * observations
    at = next((i for i, (_, count) in enumerate(buckets[:-1]) if count >= rank and count > 0), len(buckets) - 1)
    if at == len(buckets) - 1:
        return buckets[-2][0]
    upper, count = buckets[at]
    if at == 0 and upper <= 0:
        return upper
    lower, passed = buckets[at - 1] if at > 0 else (0.0, 0.0)
    return lower + (upper - lower) * (rank - passed) / (count - passed)


def exponential_quantile(points: Iterable[Exponential], q: float, since_ns: int | None) -> tuple[int, float | None]:
    """The number of measurements, and their quantile as PromQL's `histogram_quantile` of native histograms has it."""
    pieces = [piece for series in _by_series(points).values() for piece in _exponential_increments(series, since_ns)]
    if not pieces:
        return 0, None
    scale = min(point.scale for point, *_ in pieces)
    zero = max(point.zero_threshold for point, *_ in pieces)
    zero_count = sum(count for _, count, *_ in pieces)
    positive: Counter[int] = Counter()
    negative: Counter[int] = Counter()
    for point, _, above, below in pieces:
        positive.update(_coarser(above, point.scale - scale))
        negative.update(_coarser(below, point.scale - scale))
    return native_quantile(q, scale, (zero, zero_count), +positive, +negative)


def _exponential_increments(
    series: Sequence[Exponential], since_ns: int | None
) -> Iterable[tuple[Exponential, int, dict[int, int], dict[int, int]]]:
    before: Exponential | None = None
    for point in series:
        wanted = since_ns is None or point.time_ns >= since_ns
        zero, above, below = point.zero_count, dict(point.positive), dict(point.negative)
        if before is None and not point.is_delta:
            wanted = wanted and (since_ns is None or (point.start_ns is not None and point.start_ns >= since_ns))
        elif before is not None and not point.is_delta and point.scale <= before.scale:
            up, down = before.at(point.scale)
            falls = zero < before.zero_count or any(above.get(i, 0) < c for i, c in up.items())
            falls = falls or any(below.get(i, 0) < c for i, c in down.items())
            if not (_restarted(before, point) or (falls and point.start_ns is None)):
                zero -= before.zero_count
                above = {i: c - up[i] for i, c in above.items()}
                below = {i: c - down[i] for i, c in below.items()}
        before = point
        if wanted:
            yield point, zero, above, below


def native_quantile(
    q: float, scale: int, zero: tuple[float, int], positive: dict[int, int], negative: dict[int, int]
) -> tuple[int, float | None]:
    """Prometheus' `HistogramQuantile`: all buckets in the order of values, exponential interpolation within one."""
    threshold, zero_count = zero
    total = zero_count + sum(positive.values()) + sum(negative.values())
    if total == 0:
        return 0, None
    base = 2.0 ** (2.0**-scale)
    low = 0.0 if positive and not negative else -threshold
    high = 0.0 if negative and not positive else threshold
    buckets = [
        *((-(base ** (i + 1)), -(base**i), c) for i, c in sorted(negative.items(), reverse=True)),
        (low, high, zero_count),
        *((base**i, base ** (i + 1), c) for i, c in sorted(positive.items())),
    ]
    rank, passed = q * total, 0
    for lower, upper, count in buckets:
        if count > 0 and passed + count >= rank:
            fraction = (rank - passed) / count
            if lower <= 0 <= upper:
                return total, lower + (upper - lower) * fraction
            if lower > 0:
                return total, math.exp2(math.log2(lower) + (math.log2(upper) - math.log2(lower)) * fraction)
            near, far = math.log2(-upper), math.log2(-lower)
            return total, -math.exp2(near + (far - near) * (1 - fraction))
        passed += count
    raise AssertionError("a rank within the total lies in a bucket")


_Point = TypeVar("_Point", Explicit, Exponential)


def _by_series(points: Iterable[_Point]) -> dict[str, list[_Point]]:
    series: defaultdict[str, list[_Point]] = defaultdict(list)
    for point in sorted(points, key=lambda point: point.time_ns):
        series[point.series].append(point)
    return series
