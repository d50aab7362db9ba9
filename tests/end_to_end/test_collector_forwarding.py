"""A collector in front of another one: whatever happens between them and to them, each record arrives.

Exactly once, but for a request whose answer was lost: that one is sent again.
"""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import json
import socket
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.support.collectors import RunningCollector, StartCollector, query_store, wait_until
from tests.support.load import NAMES, TABLES, Load, assert_exactly_once, wait_until_stored
from tests.support.otlp_receivers import GrpcAnswer, GrpcReceiver, HttpAnswer, HttpReceiver, retry_info
from tests.support.otlp_requests import spans_request
from tests.support.otlp_senders import post

from infersight_collector.decode import decode
from infersight_collector.signals import Signal

INFERSIGHT = str(Path(sys.executable).with_name("infersight"))

CONFIGURATION = """
receivers:
  otlp:
processors:
  attributes: {{actions: [{{key: added, value: here, action: insert}}]}}
exporters:
  store:
  onward:
extensions:
  health_check:
service:
  extensions: [health_check]
  pipelines:
    traces: {{receivers: [otlp], exporters: [store, {kind}]}}
    metrics: {{receivers: [otlp], processors: [attributes], exporters: [store, {kind}]}}
    logs: {{receivers: [otlp], processors: [attributes], exporters: [store, {kind}]}}
"""


class Front:
    """A collector with a store of its own that sends on, and starts again on what it left.

    Args:
        start: starts it.
        folder: for its store.
        kind: `otlp` or `otlphttp`.
        endpoint: of the receiver.
        queue_size: of the sending queue.
    """

    def __init__(self, start: StartCollector, folder: Path, kind: str, endpoint: str, queue_size: int = 2**30) -> None:
        retry = {"initial_interval": "100ms", "max_interval": "500ms"}
        exporter = {"endpoint": endpoint, "retry_on_failure": retry, "sending_queue": {"queue_size": queue_size}}
        text = CONFIGURATION.format(kind=kind).replace("  onward:", f"  {kind}: {json.dumps(exporter)}")
        self._file = folder / "front.yaml"
        self._file.write_text(text)
        self._start = start
        self.store = folder / "front"
        self.queue = self.store / "components" / kind
        self.running = self.start()

    def start(self) -> RunningCollector:
        """Starts it, or starts it again."""
        self.running = self._start("--config", str(self._file), store=self.store)
        return self.running

    def waiting(self) -> list[Path]:
        """The requests that wait in the sending queue."""
        return sorted((self.queue / "waiting").rglob("*.pb"))

    def metric(self, name: str) -> float:
        """One of the metrics of the exporter."""
        with urllib.request.urlopen(f"http://{self.running.health}/metrics") as page:
            lines = page.read().decode().splitlines()
        found = [line for line in lines if line.startswith(f"infersight_collector_exporter_{name}{{")]
        return float(found[0].rsplit(" ", 1)[1]) if found else 0.0


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def receiver_of(kind: str) -> HttpReceiver | GrpcReceiver:
    return GrpcReceiver() if kind == "otlp" else HttpReceiver()


@pytest.fixture(params=["otlp", "otlphttp"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_dead_receiver_delays_nobody_else_and_gets_everything_when_it_is_back(
    kind: str, start_collector: StartCollector, tmp_path: Path
) -> None:
    address = free_address()
    front = Front(start_collector, tmp_path, kind, f"http://{address}")
    load = Load(front.running, "a")
    load.start()
    load.wait_until_acknowledged(300)
    load.stop()
    wait_until_stored(front.running, load, "a")  # in the store beside it, while nobody answers there
    assert front.waiting()
    front.running.kill()
    front.start()
    assert_exactly_once(front.running, load, "a")
    option = "--grpc-endpoint" if kind == "otlp" else "--http-endpoint"
    back = start_collector(option, address)
    wait_until_stored(back, load, "a")
    wait_until(lambda: not front.waiting())
    assert front.metric("queue_size_bytes") == 0
    assert back.query("select count(*) from logs where attributes.added = 'here'") == [
        (sum(table == "logs" for table, _ in load.acknowledged),)
    ]


def records_of(taken: Sequence[tuple[Signal, bytes]]) -> Counter[tuple[str, str]]:
    """How often each record is in requests, by table and name."""
    found: Counter[tuple[str, str]] = Counter()
    for signal, request in taken:
        table = TABLES[signal]
        found.update((table, name) for name in decode(signal, request)[table].column(NAMES[table]).to_pylist())
    return found


def test_killed_again_and_again_it_loses_nothing_and_repeats_only_what_was_under_way(
    kind: str, start_collector: StartCollector, tmp_path: Path
) -> None:
    rounds = 4
    with receiver_of(kind) as receiver:
        front = Front(start_collector, tmp_path, kind, receiver.url)
        loads: list[Load] = []
        for number in range(rounds):
            load = Load(front.running, f"k{number}")
            loads.append(load)
            load.start()
            load.wait_until_acknowledged(150 * (number + 1))
            front.running.kill()
            load.stop()
            front.start()
        expected = {record for load in loads for record in load.acknowledged}
        wait_until(lambda: expected <= set(records_of(receiver.taken)), 60)
        wait_until(lambda: not front.waiting())
        # Of the requests some came twice, at most one for each kill; but for these there is each record once.
        different = list(dict.fromkeys(receiver.taken))
        assert len(receiver.taken) - len(different) <= rounds
        assert set(records_of(different).values()) == {1}
        for number, load in enumerate(loads):
            assert_exactly_once(front.running, load, f"k{number}")


def test_a_receiver_that_is_slow_fails_and_asks_for_time_gets_everything_once(
    kind: str, start_collector: StartCollector, tmp_path: Path
) -> None:
    with receiver_of(kind) as receiver:
        if isinstance(receiver, HttpReceiver):
            in_time = HttpAnswer(503, {"retry-after": "2"})
            receiver.answers.extend([HttpAnswer(200, delay_s=2), HttpAnswer(502), HttpAnswer(429), in_time])
        else:
            later = GrpcAnswer("UNAVAILABLE", details=retry_info(2))
            receiver.answers.extend([GrpcAnswer("ABORTED"), GrpcAnswer("DEADLINE_EXCEEDED"), later])
        expected = len(receiver.answers)
        front = Front(start_collector, tmp_path, kind, receiver.url)
        load = Load(front.running, "s")
        load.start()
        load.wait_until_acknowledged(300)
        load.stop()
        wait_until_stored(front.running, load, "s")
        wait_until(lambda: load.acknowledged <= set(records_of(receiver.taken)), 60)
        assert set(records_of(receiver.taken).values()) == {1}
        assert receiver.attempts[expected].time - receiver.attempts[expected - 1].time >= 2
        assert front.metric("failed_sends_total") == expected - isinstance(receiver, HttpReceiver)


def test_what_a_receiver_refuses_is_kept_for_import_and_the_rest_arrives(
    kind: str, start_collector: StartCollector, tmp_path: Path
) -> None:
    with receiver_of(kind) as receiver:
        if isinstance(receiver, HttpReceiver):
            receiver.answers.append(HttpAnswer(400))
        else:
            receiver.answers.append(GrpcAnswer("INVALID_ARGUMENT"))
        front = Front(start_collector, tmp_path, kind, receiver.url)
        assert post(front.running.http, "/v1/traces", spans_request("refused")).status == 200
        wait_until(lambda: front.metric("set_aside_requests_total") == 1)
        assert post(front.running.http, "/v1/traces", spans_request("taken")).status == 200
        wait_until(lambda: receiver.taken)
    assert records_of(receiver.taken) == {("spans", "taken"): 1}
    store = tmp_path / "imported"
    command = [INFERSIGHT, "import", str(front.queue / "refused"), "--store", str(store)]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    assert query_store(store, "select name from spans") == [("refused",)]
    assert "is set aside as" in front.running.log.read_text()


def test_a_full_queue_leaves_segments_in_the_log_and_delays_no_store(
    start_collector: StartCollector, tmp_path: Path
) -> None:
    with HttpReceiver() as receiver:
        receiver.answers.append(HttpAnswer(503, {"retry-after": "4"}))
        front = Front(start_collector, tmp_path, "otlphttp", receiver.url, queue_size=1_000)
        load = Load(front.running, "f")
        load.start()
        wait_until(lambda: "the sending queue has" in front.running.log.read_text())
        load.stop()
        wait_until_stored(front.running, load, "f")
        wait_until(lambda: load.acknowledged <= set(records_of(receiver.taken)), 90)
        assert set(records_of(receiver.taken).values()) == {1}
