"""One running collector: starts the parts from the store to the receivers, stops them the other way round."""

# pyright: reportUnknownVariableType=false
# pyarrow, in what `decode` returns, publishes no types.

import logging
from contextlib import ExitStack
from typing import Any

from infersight_collector.component import Gate, Listening
from infersight_collector.decode import check, decode
from infersight_collector.flush import Flusher
from infersight_collector.health import HealthPages
from infersight_collector.http_server import HttpServer
from infersight_collector.intake import Intake
from infersight_collector.journal import Journal
from infersight_collector.own_metrics import OwnMetrics
from infersight_collector.pipeline import Graph
from infersight_collector.signals import Signal
from infersight_collector.status import report
from infersight_collector.store.errors import StoreUnavailable
from infersight_collector.surplus import SurplusMemory
from infersight_collector.telemetry import instruments
from infersight_collector.telemetry.process import observe_process

_log = logging.getLogger(__name__)


class Collector:
    """The process's collector.

    Args:
        graph: its components.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._telemetry = graph.telemetry
        self._running = ExitStack()
        self._unready: str | None = "starting"
        self._journal: Journal | None = None
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
            journal = self._journal = open_journal(self._graph, starting)
            flusher = self._flusher = open_flusher(self._graph, journal, self._graph.log.flush_interval)
            starting.callback(_drain, flusher, final=True)
            starting.callback(flusher.stop)
            self._watch(journal)
            _compile()
            surplus = SurplusMemory()
            starting.callback(surplus.stop)
            surplus.start()
            _drain(flusher)
            flusher.start()
            intake = Intake(journal, self._telemetry, lambda: flusher.failure, self._gates(), flusher.arrived)
            if self._graph.own_metrics_s is not None:
                own = OwnMetrics(self._telemetry, intake.keep_own, self._graph.own_metrics_s)
                starting.callback(own.stop)
                own.start()
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

    def _gates(self) -> dict[Signal, list[Gate]]:
        """Of each signal, the processors that say whether its requests are taken."""
        return {
            signal: [
                part
                for route in self._graph.routes
                if route.signal == signal
                for part in route.processors
                if isinstance(part, Gate)
            ]
            for signal in Signal
        }

    def _start_health(self, starting: ExitStack) -> list[Listening]:
        if self._graph.health is None:
            return []
        server = HttpServer(HealthPages(self._telemetry, self._why_unready, self._state), self._graph.health)
        endpoint = server.start()
        starting.callback(server.stop)
        return [Listening("health", str(endpoint))]

    def _why_unready(self) -> str | None:
        """Why telemetry is refused, or kept in the log only, at the moment; or None."""
        parts = [part for part in (self._flusher, self._journal) if part is not None]
        return self._unready or next((str(part.failure) for part in parts if part.failure is not None), None)

    def _state(self) -> dict[str, Any]:
        return report(self._graph, self._journal, self._flusher, self._why_unready())

    def _watch(self, journal: Journal) -> None:
        observe = self._telemetry.observe
        observe(instruments.LOG_SIZE, lambda: journal.waiting_bytes)
        observe(instruments.LOG_LIMIT, lambda: journal.max_bytes)
        observe(instruments.LOG_SEGMENTS, lambda: journal.waiting_segments)
        observe(instruments.LOG_OLDEST_AGE, lambda: journal.oldest_age_s)
        observe_process(self._telemetry)


def open_journal(graph: Graph, resources: ExitStack, *, adopt: bool = True) -> Journal:
    """Starts the exporters and processors of a graph, and opens the log in front of them.

    Args:
        graph: the components.
        resources: closes them again.
        adopt: whether to take over what dead processes left in the log's directory.
    """
    for exporter in graph.exporters.values():
        exporter.start()
        resources.callback(exporter.stop)
    graph.start_processors()
    journal = Journal.open(graph.log, adopt=adopt)
    resources.callback(journal.close)
    return journal


def open_flusher(graph: Graph, journal: Journal, interval_s: float) -> Flusher:
    """What carries the log of a graph to its exporters."""
    due = graph.due_records
    return Flusher(journal, graph.routes, graph.exporters, graph.telemetry, interval_s, due_records=due)


def _compile() -> None:
    """Runs the decoder once, so that the first request does not wait for its compilation."""
    for signal in Signal:
        check(signal, b"")
        decode(signal, b"")


def _drain(flusher: Flusher, *, final: bool = False) -> None:
    """Delivers what waits in the log; where that cannot be now, it stays there for later."""
    try:
        flusher.flush(final=final)
    except StoreUnavailable as error:
        _log.error("acknowledged requests stay in the write-ahead log for now: %s", error)
