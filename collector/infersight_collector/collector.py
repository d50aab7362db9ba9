"""One running collector: starts the parts from the store to the receivers, stops them the other way round."""

# pyright: reportUnknownVariableType=false
# pyarrow, in what `decode` returns, publishes no types.

import logging
from contextlib import ExitStack
from pathlib import Path

from infersight_collector.component import Listening
from infersight_collector.decode import check, decode
from infersight_collector.flush import Flusher
from infersight_collector.health import HealthApplication
from infersight_collector.http_server import HttpServer
from infersight_collector.intake import Intake
from infersight_collector.journal import Journal
from infersight_collector.pipeline import Graph
from infersight_collector.signals import Signal
from infersight_collector.store.errors import StoreFull, StoreUnavailable
from infersight_collector.store.wal import Wal
from infersight_collector.telemetry import Telemetry

_log = logging.getLogger(__name__)


class Collector:
    """The process's collector.

    Args:
        graph: its components.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._telemetry = Telemetry()
        self._running = ExitStack()
        self._unready: str | None = "starting"
        self._flusher: Flusher | None = None

    def start(self) -> list[Listening]:
        """Starts everything; returns when telemetry is taken.

        What an earlier process acknowledged and did not store is stored first.

        Returns:
            the open endpoints.

        Raises:
            ListenError: an endpoint cannot be opened.
            StoreError: the store cannot be opened.
        """
        with ExitStack() as starting:
            listening = self._start_health(starting)
            journal = open_journal(self._graph, starting)
            flusher = self._flusher = Flusher(
                journal, self._graph.outlets, self._telemetry, self._graph.store.flush_interval
            )
            starting.callback(_drain, flusher)
            starting.callback(flusher.stop)
            self._watch(journal)
            _compile()
            _drain(flusher)
            flusher.start()
            intake = Intake(journal, self._telemetry, lambda: flusher.failure)
            for receiver in self._graph.receivers:
                starting.callback(receiver.stop)
                listening += receiver.start(intake)
            self._unready = None
            self._running = starting.pop_all()
        return listening

    def stop(self) -> None:
        """Stops receiving, stores what was acknowledged, and ends."""
        self._unready = "stopping"
        self._running.close()

    def _start_health(self, starting: ExitStack) -> list[Listening]:
        if self._graph.health is None:
            return []
        server = HttpServer(HealthApplication(self._telemetry, self._why_unready), self._graph.health)
        endpoint = server.start()
        starting.callback(server.stop)
        return [Listening("health", str(endpoint))]

    def _why_unready(self) -> str | None:
        """Why telemetry is refused at the moment, or None."""
        failure = self._flusher.failure if self._flusher is not None else None
        return self._unready or (str(failure) if isinstance(failure, StoreFull) else None)

    def _watch(self, journal: Journal) -> None:
        gauge = self._telemetry.gauge
        gauge("log_bytes", "Size of the write-ahead log", lambda: journal.waiting_bytes)
        gauge("log_segments", "Finished log segments that wait for the store", lambda: journal.waiting_segments)


def open_journal(graph: Graph, resources: ExitStack) -> Journal:
    """Starts the exporters of a graph and opens the log in front of them; the stack closes both again."""
    for exporter in graph.outlets.exporters:
        exporter.start()
        resources.callback(exporter.stop)
    path = Path(graph.store.path)
    journal = Journal(Wal.open(path, fsync=graph.store.fsync), path, graph.store.max_log_size_mib * 2**20)
    resources.callback(journal.close)
    return journal


def _compile() -> None:
    """Runs the decoder once, so that the first request does not wait for its compilation."""
    for signal in Signal:
        check(signal, b"")
        decode(signal, b"")


def _drain(flusher: Flusher) -> None:
    """Stores what waits in the log; where that cannot be now, it stays there for later."""
    try:
        flusher.flush()
    except StoreUnavailable as error:
        _log.error("acknowledged requests stay in the write-ahead log for now: %s", error)
