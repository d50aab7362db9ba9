"""Batching: how often, at which size, and in which portions the log is delivered."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyarrow publishes no types.

from pathlib import Path

import pytest
from tests.support.collectors import wait_until
from tests.support.otlp_requests import spans_request

from infersight_collector.component import Batch, Route
from infersight_collector.config import ConfigError, load
from infersight_collector.flush import Flusher
from infersight_collector.intake import Intake
from infersight_collector.journal import Journal
from infersight_collector.pipeline import KINDS, Graph, build
from infersight_collector.signals import Signal
from infersight_collector.store.wal import Origin, Wal
from infersight_collector.telemetry import Telemetry

CONFIGURATION = """\
receivers: {otlp: }
processors:
  batch: {}
  batch/fast: {timeout: 200ms, send_batch_size: 500, send_batch_max_size: 100}
  batch/slow: {timeout: 5s, send_batch_size: 0, send_batch_max_size: 40}
exporters: {store: {flush_interval: 3s}}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [USED], exporters: [store]}
    logs: {receivers: [otlp], exporters: [store]}
"""

LONG_S = 3600.0


class Portions:
    """Exporter that keeps the number of spans in each batch that it gets."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def start(self) -> None:
        """There is nothing to open."""

    def begin(self) -> None:
        """Nothing is undone."""

    def consume(self, batch: Batch) -> None:
        self.sizes.append(batch.tables["spans"].num_rows)

    def commit(self, origin: Origin) -> None:
        """It was kept when it came."""

    def stop(self) -> None:
        """There is nothing to close."""


def graph_with(*used: str) -> Graph:
    return build(load(CONFIGURATION.replace("USED", ", ".join(used)), "file.yaml", KINDS, {}))


def test_without_it_the_exporter_says_how_often() -> None:
    graph = graph_with()
    assert (graph.log.flush_interval, graph.routes[0].max_rows, graph.due_records) == (3.0, None, {})


def test_it_says_how_often_and_how_much() -> None:
    graph = graph_with("batch/fast")
    assert (graph.log.flush_interval, graph.routes[0].max_rows) == (0.2, 100)
    assert graph.due_records == {Signal.TRACES: 500}
    assert graph.routes[1].max_rows is None


def test_its_defaults_are_a_second_and_no_largest_batch() -> None:
    graph = graph_with("batch")
    assert (graph.log.flush_interval, graph.routes[0].max_rows) == (1.0, None)
    assert graph.due_records == {Signal.TRACES: 65_536}


def test_of_several_the_smallest_numbers_hold() -> None:
    graph = graph_with("batch/slow", "batch/fast", "batch")
    assert (graph.log.flush_interval, graph.routes[0].max_rows) == (0.2, 40)
    assert graph.due_records == {Signal.TRACES: 500}


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"file\.yaml:3: send_batch_size is negative"):
        build(load(CONFIGURATION.replace("batch: {}", "batch: {send_batch_size: -1}"), "file.yaml", KINDS, {}))


def test_enough_records_do_not_wait_for_the_interval(tmp_path: Path) -> None:
    exporter, journal = Portions(), Journal(Wal.open(tmp_path, fsync="never"), tmp_path, 2**20)
    routes = [Route("traces", Signal.TRACES, [], ["kept"], max_rows=2)]
    flusher = Flusher(
        journal, routes, {"kept": exporter}, Telemetry(), interval_s=LONG_S, due_records={Signal.TRACES: 5}
    )
    intake = Intake(journal, Telemetry(), lambda: flusher.failure, arrived=flusher.arrived)
    flusher.start()
    for _ in range(2):  # the count begins anew with each flush
        intake.submit(Signal.TRACES, spans_request("a", "b", "c", "d"))
        exporter.sizes.clear()
        intake.submit(Signal.TRACES, spans_request("e"))
        wait_until(lambda: exporter.sizes == [2, 2, 1])
    intake.submit(Signal.TRACES, spans_request("f"))
    flusher.stop()
    assert journal.waiting_bytes > 0
    journal.close()
