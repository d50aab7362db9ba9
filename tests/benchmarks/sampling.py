"""What tail sampling and metrics of spans cost, beside decoding the same spans: `python -m tests.benchmarks.sampling`.

Times are CPU seconds of the one thread that works; each figure is the best of several runs. The spans are those of
`decode.py`, ten to a trace: 15 attributes and an event each.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportUnknownLambdaType=false
# pyarrow publishes no types.

import time
import tracemalloc
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa
from tests.benchmarks.decode import best_seconds, request_of

from infersight_collector.component import Batch
from infersight_collector.config import load
from infersight_collector.decode import decode
from infersight_collector.pipeline import KINDS
from infersight_collector.processors.span_metrics import SpanMetrics
from infersight_collector.processors.span_metrics.histograms import ExponentialHistogram, Histogram
from infersight_collector.processors.tail_sampling import TailSampling
from infersight_collector.processors.tail_sampling.decisions import Decisions
from infersight_collector.processors.tail_sampling.traces import Summaries, Waiting
from infersight_collector.signals import Signal

SPANS: Final = 10_000
SPANS_A_TRACE: Final = 10

CONFIGURATION: Final = """
receivers: {otlp: }
exporters: {store: }
processors:
  tail_sampling:
    policies:
      - {name: failed, type: status_code, status_code: {status_codes: [ERROR]}}
      - {name: slow, type: latency, latency: {threshold_ms: 100}}
      - {name: code, type: numeric_attribute, numeric_attribute: {key: infersight.batch.size, min_value: 33}}
      - {name: new, type: rare, rare: {key: infersight.model.version}}
      - {name: some, type: rate_limiting, rate_limiting: {spans_per_second: 1000}}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [tail_sampling], exporters: [store]}
"""


def batch_of(request: bytes) -> Batch:
    """The spans of a request and of one clock second, ten neighbours with one trace id."""
    spans = decode(Signal.TRACES, request)["spans"]
    ids = spans.column("trace_id").to_pylist()
    of_trace = pa.array([ids[row - row % SPANS_A_TRACE] for row in range(len(ids))])
    end = pa.array(np.full(len(ids), 1_790_000_000 * 10**9))
    for name, values in (("trace_id", of_trace), ("end_time_ns", end)):
        spans = spans.set_column(spans.column_names.index(name), name, values)
    return Batch(Signal.TRACES, {"spans": spans})


def sampler() -> TailSampling:
    configured = load(CONFIGURATION, "benchmark", KINDS, {}).components["processors"]["tail_sampling"]
    assert isinstance(configured, TailSampling)
    return configured


def sampling_seconds(batch: Batch, repeats: int = 15) -> tuple[float, float]:
    """Least seconds of observing a batch, and of deciding about its traces and filtering it."""
    observing: list[float] = []
    processing: list[float] = []
    for _ in range(repeats):
        fresh = sampler()
        begin = time.thread_time()
        fresh.observe(batch)
        between = time.thread_time()
        fresh.process(batch)
        observing.append(between - begin)
        processing.append(time.thread_time() - between)
    return min(observing), min(processing)


def bytes_each(make: Callable[[np.ndarray[Any, np.dtype[np.uint64]]], object], traces: int = 200_000) -> float:
    """Memory that something about so many traces takes, in bytes a trace."""
    hashes = np.random.default_rng(0).integers(0, 2**63, traces, np.uint64)
    tracemalloc.start()
    kept = make(hashes)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return size / traces


def waiting(hashes: np.ndarray[Any, np.dtype[np.uint64]]) -> Waiting:
    found = Waiting(conditions=4)
    for part in np.array_split(hashes, 200):
        unseen = Summaries.unseen(len(part), 4)
        found.add(Summaries(part, *unseen.columns[1:]), 0.0)
    return found


def decided(hashes: np.ndarray[Any, np.dtype[np.uint64]]) -> Decisions:
    found = Decisions(10**6)
    for part in np.array_split(hashes, 200):
        found.add(part, np.ones(len(part)))
        found.settle()
    return found


def main() -> None:
    """Print the figures, each also as a part of what decoding costs."""
    request = b"".join(request_of(1000, seed) for seed in range(SPANS // 1000))
    batch = batch_of(request)
    decoding = best_seconds(lambda: decode(Signal.TRACES, request))
    observing, processing = sampling_seconds(batch)
    kept = sampler().process(batch).tables["spans"].num_rows
    explicit, exponential = SpanMetrics(), SpanMetrics(histogram=Histogram(exponential=ExponentialHistogram()))
    figures = {
        "decode": decoding,
        "tail_sampling, observe": observing,
        f"tail_sampling, process ({kept} kept)": processing,
        "spanmetrics, explicit": best_seconds(lambda: explicit.process(batch)),
        "spanmetrics, exponential": best_seconds(lambda: exponential.process(batch)),
    }
    for name, seconds in figures.items():
        print(f"{name:38} {seconds / SPANS * 1e6:6.2f} us/span {seconds / decoding:6.2f} of decode")
    print(f"{'a trace that waits':38} {bytes_each(waiting):6.0f} bytes")
    print(f"{'a decision':38} {bytes_each(decided):6.0f} bytes")


if __name__ == "__main__":
    main()
