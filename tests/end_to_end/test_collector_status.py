"""What a collector tells about itself: metrics on its page and in its store, its state, its log."""

import http.client
import json
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.support.collectors import RunningCollector, StartCollector, wait_until
from tests.support.otlp_requests import spans_request
from tests.support.otlp_senders import post

from infersight_collector.telemetry import instruments
from infersight_collector.telemetry.instruments import Instrument

CONFIGURATION = """
receivers: {otlp: }
processors:
  filter: {spans: "name = 'health'"}
exporters:
  store:
  otlphttp: {endpoint: "http://127.0.0.1:PORT", retry_on_failure: {initial_interval: 50ms, max_interval: 100ms}}
extensions: {health_check: }
service:
  extensions: [health_check]
  telemetry: {metrics: {interval: 200ms}}
  pipelines:
    traces: {receivers: [otlp], processors: [filter], exporters: [store, otlphttp]}
    metrics: {receivers: [otlp], exporters: [store]}
"""


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """A pipeline with a processor, and an exporter whose receiver is away."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file = tmp_path / "config.yaml"
    file.write_text(CONFIGURATION.replace("PORT", str(port)))
    return file


def status(health: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "infersight_collector", "status", "--health-endpoint", health, *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def page(collector: RunningCollector, path: str) -> str:
    connection = http.client.HTTPConnection(collector.health, timeout=30)
    connection.request("GET", path)
    body = connection.getresponse().read().decode()
    connection.close()
    return body


def state(collector: RunningCollector) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page(collector, "/status"))
    return found


def test_own_metrics_are_in_the_store_beside_those_of_others(
    configuration: Path, start_collector: StartCollector
) -> None:
    collector = start_collector("--config", str(configuration))
    for name in ("health", "kept", "kept"):
        assert post(collector.http, "/v1/traces", spans_request(name)).status == 200
    collector.wait_for("select count(*) from spans", 2)
    found = "from metrics where service_name = 'infersight-collector' and name = 'infersight.collector.{}'"
    wait_until(lambda: latest(collector, found.format("store.rows")))  # from now on there are attributes to ask for
    wait_until(
        lambda: latest(collector, found.format("store.rows") + " and to_json(attributes)->>'table' = 'spans'") == 2
    )
    assert latest(collector, found.format("accepted_records")) == 3
    assert latest(collector, found.format("dropped_records") + " and to_json(attributes)->>'reason' = 'filter'") == 1
    assert latest(collector, found.format("processor.rows_out")) == 2
    # What it sends itself is not among what it was sent.
    sent = found.format("accepted_records") + " and to_json(attributes)->>'signal' = 'metrics'"
    assert collector.query(f"select count(*) {sent}") == [(0,)]
    known = {value.name for value in vars(instruments).values() if isinstance(value, Instrument)}
    assert {name for (name,) in collector.query("select distinct name from metrics")} <= known
    ((instances, versions),) = collector.query(
        "select count(distinct service_instance_id), count(distinct service_version) from metrics"
    )
    assert (instances, versions) == (1, 1)


def latest(collector: RunningCollector, sql: str) -> float | None:
    """The last value of a metric."""
    values = collector.query(f"select value {sql} order by time_ns desc limit 1")
    return values[0][0] if values else None


def test_the_page_is_what_prometheus_reads(configuration: Path, start_collector: StartCollector) -> None:
    collector = start_collector("--config", str(configuration))
    assert post(collector.http, "/v1/traces", spans_request("a")).status == 200
    collector.wait_for("select count(*) from spans", 1)
    families = {family.name: family for family in text_string_to_metric_families(page(collector, "/metrics"))}
    durations = families["infersight_collector_flush_duration_seconds"]
    assert durations.type == "histogram"
    assert {sample.name.rpartition("_")[2] for sample in durations.samples} == {"bucket", "sum", "count"}
    (age,) = families["infersight_collector_log_oldest_age_seconds"].samples
    assert 0 <= age.value < 60
    assert families["process_memory_usage_bytes"].samples[0].value > 2**20


def test_status_shows_rates_pipelines_and_the_exporter_in_trouble(
    configuration: Path, start_collector: StartCollector
) -> None:
    collector = start_collector("--config", str(configuration))
    stop = threading.Event()

    def send() -> None:
        while not stop.is_set():
            post(collector.http, "/v1/traces", spans_request("a", "b"))

    sender = threading.Thread(target=send)
    sender.start()
    try:
        wait_until(lambda: state(collector)["exporters"]["otlphttp"]["failing"])
        shown = status(collector.health, "--format", "table")
        told = status(collector.health)
    finally:
        stop.set()
        sender.join()
    assert (shown.returncode, shown.stderr) == (0, "")
    assert f"pid {collector.process.pid}, up " in shown.stdout
    assert ": ready\n" in shown.stdout
    assert "traces      otlp -> filter -> store, otlphttp\n" in shown.stdout
    assert re.search(r"exporter otlphttp: nothing delivered for .*, next attempt in .*: .*refused", shown.stdout)
    assert re.search(r"exporter otlphttp: .*B wait in its queue", shown.stdout)
    document = json.loads(told.stdout)
    rates = document["rates"]["traces"]
    assert rates["records"] == pytest.approx(2 * rates["requests"], rel=0.1)
    assert rates["records"] > 0
    assert document["signals"]["traces"]["accepted_records"] >= rates["records"] * document["rates"]["window_s"]
    assert document["pipelines"]["traces"]["exporters"] == ["store", "otlphttp"]
    store = document["exporters"]["store"]
    assert store.keys() == {"failing", "store_bytes", "store_max_bytes", "store_oldest_s"}
    assert (store["failing"], store["store_max_bytes"]) == (False, shutil.disk_usage(collector.store).total // 2)
    assert document["exporters"]["otlphttp"]["reason"]


def test_status_tells_refusals_by_reason(collector: RunningCollector) -> None:
    assert post(collector.http, "/v1/logs", b"\x00\x00").status == 400
    shown = status(collector.health, "--format", "table").stdout
    assert "1 (malformed 1)" in next(line for line in shown.splitlines() if line.startswith("logs "))


@pytest.mark.parametrize(
    "answer", [None, b"HTTP/1.1 404 Not Found\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\nhello", b"no http"]
)
def test_without_a_collector_status_says_so_in_one_line(
    answer: bytes | None, serving: Callable[[bytes | None], str]
) -> None:
    address = serving(answer)
    result = status(address)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert f"http://{address}/status" in result.stderr
    assert "--health-endpoint" in result.stderr


@pytest.fixture
def serving(request: pytest.FixtureRequest) -> Callable[[bytes | None], str]:
    """An address where every connection gets this answer, or where nothing listens."""

    def serve(answer: bytes | None) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        request.addfinalizer(server.close)
        address = f"127.0.0.1:{server.getsockname()[1]}"
        if answer is None:
            server.close()
        else:
            threading.Thread(target=respond, args=(server, answer), daemon=True).start()
        return address

    return serve


def respond(server: socket.socket, answer: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(answer)


def test_a_store_that_cannot_be_written_is_shown_with_the_reason_and_the_next_attempt(
    start_collector: StartCollector,
) -> None:
    collector = start_collector()
    spans = collector.store / "spans"
    spans.write_text("in the way of the table's directory")
    assert post(collector.http, "/v1/traces", spans_request("a")).status == 200
    found = wait_until(lambda: (now := state(collector))["exporters"]["store"]["failing"] and now)
    assert str(spans) in found["exporters"]["store"]["reason"]
    assert found["log"]["bytes"] > 0
    assert "the oldest record waits" in status(collector.health, "--format", "table").stdout
    spans.unlink()
    collector.wait_for("select count(*) from spans", 1)
    assert state(collector)["exporters"]["store"]["failing"] is False
    assert state(collector)["log"]["oldest_s"] == 0


def test_the_log_names_the_component_and_does_not_repeat_itself_endlessly(
    configuration: Path, start_collector: StartCollector
) -> None:
    collector = start_collector("--config", str(configuration))
    assert post(collector.http, "/v1/traces", spans_request("a")).status == 200
    failed = "infersight_collector_exporter_failed_sends_total"
    wait_until(lambda: counted(collector, failed) > 30, 60)
    lines = [json.loads(line) for line in collector.log.read_text().splitlines() if line.startswith("{")]
    attempts = [line for line in lines if line.get("component") == "otlphttp" and "failed" in line["message"]]
    assert 1 <= len(attempts) <= 10


def counted(collector: RunningCollector, name: str) -> float:
    families = text_string_to_metric_families(page(collector, "/metrics"))
    return sum(sample.value for family in families for sample in family.samples if sample.name == name)
