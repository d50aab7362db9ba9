"""A tail sampler by its policies, and what it keeps."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# pyarrow publishes no types.

from tests.support.traces import Span, spans_batch, trace_id

from infersight_collector.component import Batch
from infersight_collector.config import load
from infersight_collector.pipeline import KINDS
from infersight_collector.processors.tail_sampling import TailSampling

_CONFIGURATION = """\
receivers: {otlp: }
processors:
  tail_sampling: {policies: [POLICIES], SETTINGS}
exporters: {store: }
service:
  pipelines:
    traces: {receivers: [otlp], processors: [tail_sampling], exporters: [store]}
"""


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def sampler_of(policies: str, clock: Clock | None = None, settings: str = "") -> TailSampling:
    """The sampler of a configuration.

    Args:
        policies: the entries, in YAML's flow style.
        clock: its time, which stands still by default.
        settings: further keys, likewise.
    """
    text = _CONFIGURATION.replace("POLICIES", policies).replace("SETTINGS", settings)
    sampler = load(text, "file.yaml", KINDS, {}).components["processors"]["tail_sampling"]
    assert isinstance(sampler, TailSampling)
    sampler.clock = clock or Clock()
    return sampler


def weights_of(batch: Batch, table: str = "spans") -> dict[str, set[float]]:
    """The trace ids in a table of a batch, with the weights of their rows."""
    rows = batch.tables[table]
    found: dict[str, set[float]] = {}
    for trace, weight in zip(rows["trace_id"].to_pylist(), rows["sample_weight"].to_pylist(), strict=True):
        found.setdefault(trace, set()).add(weight)
    return found


def kept(sampler: TailSampling, *spans: Span) -> dict[int, float]:
    """The numbers of the traces that are kept, with their weights, when these spans are all that is ever seen."""
    batch = spans_batch(*spans)
    sampler.observe(batch)
    found = weights_of(sampler.process(batch))
    numbers = {trace_id(span.trace): span.trace for span in spans}
    assert all(len(weights) == 1 for weights in found.values())
    return {numbers[trace]: weights.pop() for trace, weights in found.items()}
