"""What was acknowledged is in the store exactly once, whatever happens to the collector."""

# pyright: reportUnknownMemberType=false
# grpc publishes no types.

import http.client
import os
import random
import resource
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from tests.support.collectors import RunningCollector, StartCollector, wait_until
from tests.support.otlp_requests import request_of, spans_request
from tests.support.otlp_senders import Answer, GrpcSender, post

from infersight_collector.signals import Signal

ROUNDS = int(os.environ.get("INFERSIGHT_KILL_ROUNDS", "5"))
NAMES = {"spans": "name", "logs": "event_name", "metrics": "name"}
TABLES = {Signal.TRACES: "spans", Signal.LOGS: "logs", Signal.METRICS: "metrics"}


class Load:
    """Threads that send numbered requests of all signals, over both protocols, until the collector is gone."""

    def __init__(self, collector: RunningCollector, name: str, threads: int = 6) -> None:
        self._collector = collector
        self._name = name
        self._lock = threading.Lock()
        self.acknowledged: set[tuple[str, str]] = set()
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

    def _send(self, thread: int) -> None:
        sender = GrpcSender(self._collector.grpc)
        try:
            for number in range(10**6):
                signal = list(Signal)[number % 3]
                name = f"{self._name}-{thread}-{number}"
                if self._ended.is_set() or not self._deliver(sender, signal, name, over_http=thread % 2 == 0):
                    return
                with self._lock:
                    self.acknowledged.add((TABLES[signal], name))
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
    found = stored(collector, prefix)
    assert load.acknowledged
    assert load.acknowledged <= set(found)
    assert set(found.values()) == {1}


def test_kill_9_loses_and_doubles_nothing_that_was_acknowledged(start_collector: StartCollector) -> None:
    moments = random.Random(7)
    collector = start_collector()
    loads: list[Load] = []
    for number in range(ROUNDS):
        load = Load(collector, f"round{number}")
        loads.append(load)
        load.start()
        enough = moments.randrange(20, 400)
        load.wait_until_acknowledged(enough)
        collector.kill()
        load.stop()
        collector = start_collector(store=collector.store)
        # What the dead process left is stored before the new one says that it is ready.
        assert_exactly_once(collector, load, f"round{number}")
    for number, load in enumerate(loads):
        assert_exactly_once(collector, load, f"round{number}")


def test_sigterm_stores_what_was_acknowledged_and_ends_with_0(start_collector: StartCollector) -> None:
    collector = start_collector()
    load = Load(collector, "drain")
    load.start()
    load.wait_until_acknowledged(500)
    assert collector.stop() == 0
    load.stop()
    assert_exactly_once(collector, load, "drain")
    assert not list((collector.store / "wal").rglob("*.wal"))


def test_readers_see_ever_more_and_never_an_error_while_the_collector_writes(start_collector: StartCollector) -> None:
    collector = start_collector()
    load = Load(collector, "read", threads=2)
    load.start()
    counts: list[int] = []

    def read_twenty_times() -> bool:
        counts.append(collector.query("select count(*) from spans")[0][0])
        return len(set(counts)) > 4

    wait_until(read_twenty_times, 60)
    load.stop()
    assert counts == sorted(counts)
    wait_until(lambda: load.acknowledged <= set(stored(collector, "read")))
    assert_exactly_once(collector, load, "read")


@contextmanager
def full_disk(collector: RunningCollector) -> Generator[None]:
    """Lets every write of the process fail, as on a full disk, by forbidding it files of any size."""
    pid = collector.process.pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


def test_a_full_disk_is_answered_with_try_again_and_recovered_from(start_collector: StartCollector) -> None:
    collector = start_collector()
    sender = GrpcSender(collector.grpc)

    def send(name: str) -> Answer:
        return post(collector.http, "/v1/traces", spans_request(name))

    assert send("before").status == 200
    with full_disk(collector):
        answer = wait_until(lambda: (answer := send("refused")).status == 503 and answer)
        assert isinstance(answer, Answer)
        assert int(answer.headers["retry-after"]) > 0
        with pytest.raises(grpc.RpcError) as refused:
            sender.send(Signal.TRACES, spans_request("refused"))
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        trailer: Any = refused.value.trailing_metadata()
        details = dict(trailer)["grpc-status-details-bin"]
        retry = RetryInfo()
        assert Status.FromString(details).details[0].Unpack(retry)
        assert retry.retry_delay.seconds > 0
    wait_until(lambda: send("after").status == 200, 60)
    collector.wait_for("select count(*) from spans where name = 'before'", 1)
    collector.wait_for("select count(*) from spans where name = 'after'", 1)
    assert collector.query("select count(*) from spans where name = 'refused'") == [(0,)]
    assert collector.stop() == 0
    sender.close()
