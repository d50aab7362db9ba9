"""The processor `spanmetrics`: request rates, errors and durations from spans, in the same batch.

What it makes of a batch depends on the batch alone, and is stored with it: whatever happens to the process, each span
counts once. Points are deltas, so that those of several batches, and of several collectors, add up.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from infersight_collector.component import Batch
from infersight_collector.config.values import Duration
from infersight_collector.gathering import gather
from infersight_collector.processors.span_metrics.histograms import Histogram, Ints, Observed
from infersight_collector.processors.span_metrics.points import Points, choose
from infersight_collector.processors.span_metrics.series import (
    DEFAULT_DIMENSIONS,
    OVERFLOW,
    Dimension,
    group_by,
    series_of,
)
from infersight_collector.processors.trace_ids import DEFAULT_SALT, Hashes, hashes, mixed, uniform

_MOST: Final = 1e12
"""Most requests that one span is taken to stand for, so that sums fit 64 bits."""

_ROUNDING: Final = np.uint64(0x9E3779B97F4A7C15)
"""Makes the numbers by which weights are rounded independent of those by which traces are sampled."""


@dataclass
class Exemplars:
    """Spans that are shown with a point's durations.

    Attributes:
        enabled: whether there are any.
        max_per_data_point: how many; the slowest first, the others by chance, of the same traces wherever possible.
    """

    enabled: bool = True
    max_per_data_point: int = 2

    def __post_init__(self) -> None:
        """Raises ValueError for no exemplars."""
        if self.max_per_data_point < 1:
            raise ValueError("'max_per_data_point' must be at least 1; 'enabled: false' switches exemplars off")


@dataclass
class SpanMetrics:
    """Configuration of `spanmetrics`, and the processor.

    Attributes:
        dimensions: attributes by which spans are told apart, beside `series.DEFAULT_DIMENSIONS`.
        histogram: how durations are recorded.
        exemplars: which spans are shown with them.
        namespace: what the names of the metrics begin with.
        interval: length of the intervals of the points, which begin at multiples of it; whole seconds.
        aggregation_cardinality_limit: most series of a batch, 0 for any number.
    """

    dimensions: list[Dimension] = field(default_factory=list[Dimension])
    histogram: Histogram = field(default_factory=Histogram)
    exemplars: Exemplars = field(default_factory=Exemplars)
    namespace: str = "traces.span.metrics"
    interval: Duration = field(default=Duration(10.0))
    aggregation_cardinality_limit: int = 2000

    def __post_init__(self) -> None:
        """Raises ValueError with what to write instead."""
        names = [*DEFAULT_DIMENSIONS, OVERFLOW, *(dimension.name for dimension in self.dimensions)]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"the dimension '{twice}' is there already: remove it")
        if self.interval % 1:
            raise ValueError("'interval' must be whole seconds")
        if self.aggregation_cardinality_limit < 0:
            raise ValueError("'aggregation_cardinality_limit' must be at least 1, or 0 for no limit")

    def process(self, batch: Batch) -> Batch:
        """The batch with the metrics of its spans."""
        spans = _countable(batch.tables["spans"]) if "spans" in batch.tables else None
        if spans is None or not spans.num_rows:
            return batch
        traces = _trace_hashes(spans)
        counts = _counts(spans, traces)
        if not counts.all():
            counted = counts > 0
            spans, traces, counts = spans.filter(pa.array(counted)).combine_chunks(), traces[counted], counts[counted]
        if not spans.num_rows:
            return batch
        derived = self._tables(spans, traces, counts)
        return batch.replaced(
            {
                name: gather([*([batch.tables[name]] if name in batch.tables else []), rows], name)
                for name, rows in derived.items()
            }
        )

    def _tables(self, spans: pa.Table, traces: Hashes, counts: Ints) -> dict[str, pa.Table]:
        time = _end_times(spans)
        length = round(self.interval) * 1_000_000_000
        series = series_of(spans, self.dimensions, self.aggregation_cardinality_limit)
        groups = group_by([pa.array(series.series), pa.array(time // length)])
        start = time[groups.first] // length * length
        points = Points(series.attributes.take(pa.array(series.series[groups.first])), start, start + length)
        nanoseconds = pc.fill_null(spans.column("duration_ns"), 0).to_numpy()
        value = self.histogram.in_unit(np.maximum(nanoseconds, 0))
        observed = Observed(groups.group, value, counts, len(groups))
        calls = observed.sums(counts)
        number = {
            "value": pa.array(calls.astype(np.float64)),
            "value_int": pa.array(calls),
            "is_monotonic": pa.array(np.ones(len(calls), np.bool_)),
        }
        duration, kind = f"{self.namespace}.duration", self.histogram.type
        metrics = [
            points.metric(f"{self.namespace}.calls", "sum", None, number),
            points.metric(duration, kind, self.histogram.unit, self.histogram.columns(observed)),
        ]
        if not self.exemplars.enabled:
            return {"metrics": gather(metrics, "metrics")}
        has_trace = spans.column("trace_id").is_valid().to_numpy()
        chosen = choose(observed, traces, has_trace, self.exemplars.max_per_data_point)
        ids = spans.select(["trace_id", "span_id"]).take(pa.array(chosen))
        shown = {
            "time_ns": pa.array(time[chosen]),
            "value": pa.array(value[chosen]),
            **{column: ids.column(column).combine_chunks() for column in ids.column_names},
        }
        exemplars = points.exemplars(duration, kind, observed.point[chosen], shown)
        return {"metrics": gather(metrics, "metrics"), "exemplars": exemplars}


def _countable(spans: pa.Table) -> pa.Table:
    """The spans that have a time at all, in one chunk."""
    known = pc.or_(spans.column("end_time_ns").is_valid(), spans.column("start_time_ns").is_valid())
    return (spans if pc.all(known).as_py() is not False else spans.filter(known)).combine_chunks()


def _end_times(spans: pa.Table) -> Ints:
    times: Ints = pc.coalesce(spans.column("end_time_ns"), spans.column("start_time_ns")).to_numpy()
    return times


def _trace_hashes(spans: pa.Table) -> Hashes:
    """The hash of each span's trace, by which tail sampling decides too; so what is chosen by it is likely to stay."""
    encoded = pc.fill_null(spans.column("trace_id").chunk(0), "").dictionary_encode()
    of_traces: Hashes = hashes(encoded.dictionary, DEFAULT_SALT)[encoded.indices.to_numpy()]
    return of_traces


def _counts(spans: pa.Table, traces: Hashes) -> Ints:
    """How often each span counts: its weight, rounded up or down by chance so that it is right on average.

    The chance is the trace's: all spans of a trace that have one weight count the same, here and in other batches.
    """
    weights: npt.NDArray[np.float64] = pc.fill_null(spans.column("sample_weight"), 1.0).to_numpy()
    weights = np.clip(weights, 0.0, _MOST)
    whole = np.floor(weights)
    if (whole == weights).all():
        return whole.astype(np.int64)
    return (whole + (uniform(mixed(traces ^ _ROUNDING)) < weights - whole)).astype(np.int64)
