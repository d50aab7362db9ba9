"""The graph: components in the order of the configuration, each knowing only the next."""

from dataclasses import dataclass

import pytest

from infersight_collector import pipeline
from infersight_collector.component import Batch, Consumer
from infersight_collector.config import load
from infersight_collector.signals import Signal

CONFIGURATION = """
receivers: {otlp: }
processors:
  stamp/first: {mark: a}
  stamp: {mark: b}
exporters: {store: }
service:
  pipelines:
    traces: {receivers: [otlp], processors: [stamp/first, stamp], exporters: [store]}
    logs: {receivers: [otlp], exporters: [store]}
"""


@dataclass(frozen=True)
class StampConfig:
    """Configuration of a processor that leaves its mark where it was called."""

    mark: str


class Stamp:
    """Writes its mark down, then hands the batch on."""

    marks: str = ""

    def __init__(self, config: StampConfig, following: Consumer) -> None:
        self._mark = config.mark
        self._following = following

    def consume(self, batch: Batch) -> None:
        Stamp.marks += self._mark
        self._following.consume(batch)


def test_a_batch_passes_the_processors_in_their_order_and_ends_in_the_exporter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pipeline.PROCESSORS, StampConfig, Stamp)
    kinds = {**pipeline.KINDS, "processors": {"stamp": StampConfig}}
    graph = pipeline.build(load(CONFIGURATION, "file.yaml", kinds, {}))
    (exporter,) = graph.outlets.exporters
    graph.outlets.pipelines[Signal.TRACES].consume(Batch(Signal.TRACES, {}))
    assert Stamp.marks == "ab"
    assert graph.outlets.pipelines[Signal.LOGS] is exporter
    assert set(graph.outlets.pipelines) == {Signal.TRACES, Signal.LOGS}
    assert graph.health is None
