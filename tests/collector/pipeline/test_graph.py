"""The graph: components in the order of the configuration, one instance for each name."""

from dataclasses import dataclass

import pytest

from infersight_collector.component import Batch
from infersight_collector.config import ConfigError, load
from infersight_collector.pipeline import KINDS, Graph, build
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
    logs: {receivers: [otlp], processors: [stamp], exporters: [store]}
"""


@dataclass
class Stamp:
    """Processor that is only there to be recognised."""

    mark: str

    def __post_init__(self) -> None:
        if not self.mark:
            raise ValueError("the mark is empty: write a letter")

    def process(self, batch: Batch) -> Batch:
        return batch


@dataclass
class Prophet(Stamp):
    """Processor that looks ahead."""

    lookahead_s: float = 1.0
    observes: frozenset[Signal] = frozenset(Signal)

    def observe(self, batch: Batch) -> None:
        """It has seen everything before."""

    def settle(self) -> None:
        """It has nothing to keep."""


def graph_of(text: str) -> Graph:
    kinds = {**KINDS, "processors": {"stamp": Stamp, "prophet": Prophet}}
    return build(load(text, "file.yaml", kinds, {}))


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as refused:
        graph_of(text)
    return str(refused.value)


def test_routes_have_the_processors_in_the_order_of_their_pipeline() -> None:
    graph = graph_of(CONFIGURATION)
    traces, logs = graph.routes
    assert (traces.name, traces.signal, traces.exporters) == ("traces", Signal.TRACES, ["store"])
    assert traces.processors == [Stamp("a"), Stamp("b")]
    assert list(graph.exporters) == ["store"]
    assert logs.processors == [Stamp("b")]


def test_pipelines_that_name_the_same_processor_share_it() -> None:
    traces, logs = graph_of(CONFIGURATION).routes
    assert traces.processors[1] is logs.processors[0]


def test_a_processor_that_refuses_its_configuration_is_named_by_line() -> None:
    message = refusal(CONFIGURATION.replace("mark: b", 'mark: ""'))
    assert message == "file.yaml:5: the mark is empty: write a letter"


def test_several_pipelines_of_a_signal_take_from_the_same_receivers() -> None:
    second = "    traces/b: {receivers: [otlp], exporters: [store]}\n"
    assert [route.name for route in graph_of(CONFIGURATION + second).routes] == ["traces", "logs", "traces/b"]
    other = second.replace("[otlp]", "[otlp/b]")
    text = CONFIGURATION.replace("{otlp: }", "{otlp: , otlp/b: }") + other
    assert "the pipelines of traces must have the same receivers" in refusal(text)


def test_a_pipeline_looks_ahead_once() -> None:
    text = CONFIGURATION.replace("  stamp: ", "  prophet: {mark: p}\n  prophet/b: {mark: p}\n  stamp: ")
    assert len(graph_of(text.replace("[stamp/first, stamp]", "[prophet, stamp]")).routes) == 2
    assert "has prophet and prophet/b" in refusal(text.replace("[stamp/first, stamp]", "[prophet, prophet/b]"))
