"""Load with a memory: which records were acknowledged, to be compared with what the store has."""

# pyright: reportUnknownMemberType=false
# grpc publishes no types.

import http.client
import threading

import grpc
from tests.support.collectors import RunningCollector, wait_until
from tests.support.otlp_requests import request_of
from tests.support.otlp_senders import GrpcSender, post

from infersight_collector.signals import Signal

NAMES = {"spans": "name", "logs": "event_name", "metrics": "name"}
TABLES = {Signal.TRACES: "spans", Signal.LOGS: "logs", Signal.METRICS: "metrics"}


class Load:
    """Threads that send numbered requests of all signals, over both protocols, until the collector is gone.

    Args:
        collector: where to.
        name: first part of the names of the records.
        threads: how many send at a time.
        patient: goes on after a refusal, with other records; otherwise the first one ends a thread.
    """

    def __init__(self, collector: RunningCollector, name: str, threads: int = 6, *, patient: bool = False) -> None:
        self._collector = collector
        self._name = name
        self._patient = patient
        self._lock = threading.Lock()
        self.acknowledged: set[tuple[str, str]] = set()
        self.refused = 0
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(number,)) for number in range(threads)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def wait_until_acknowledged(self, count: int) -> None:
        wait_until(lambda: len(self.acknowledged) >= count, 60)

    def wait_until_refused(self, count: int) -> None:
        wait_until(lambda: self.refused >= count, 60)

    def _send(self, thread: int) -> None:
        sender = GrpcSender(self._collector.grpc)
        try:
            for number in range(10**6):
                signal = list(Signal)[number % 3]
                name = f"{self._name}-{thread}-{number}"
                if self._ended.is_set():
                    return
                kept = self._deliver(sender, signal, name, over_http=thread % 2 == 0)
                with self._lock:
                    if kept:
                        self.acknowledged.add((TABLES[signal], name))
                    else:
                        self.refused += 1
                if not kept and (not self._patient or self._ended.wait(0.01)):
                    return
        finally:
            sender.close()

    def _deliver(self, sender: GrpcSender, signal: Signal, name: str, *, over_http: bool) -> bool:
        """Whether the request was acknowledged; a request is never sent again."""
        try:
            if over_http:
                return post(self._collector.http, f"/v1/{signal}", request_of(signal, name)).status == 200
            sender.send(signal, request_of(signal, name))
        except (OSError, http.client.HTTPException, grpc.RpcError):
            return False
        return True


def stored(collector: RunningCollector, prefix: str) -> dict[tuple[str, str], int]:
    """How often each numbered record is in the tables."""
    counts: dict[tuple[str, str], int] = {}
    for table, column in NAMES.items():
        query = f"select {column}, count(*) from {table} where {column} like '{prefix}-%' group by 1"
        counts |= {(table, name): count for name, count in collector.query(query)}
    return counts


def assert_exactly_once(collector: RunningCollector, load: Load, prefix: str) -> None:
    """All that was acknowledged is there, and nothing twice; what was refused may be there once."""
    found = stored(collector, prefix)
    assert load.acknowledged
    assert load.acknowledged <= set(found)
    assert set(found.values()) == {1}


def wait_until_stored(collector: RunningCollector, load: Load, prefix: str, seconds: float = 60) -> None:
    """Returns when all that was acknowledged is there exactly once."""
    wait_until(lambda: load.acknowledged <= set(stored(collector, prefix)), seconds)
    assert_exactly_once(collector, load, prefix)
