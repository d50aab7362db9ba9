"""Servers that fork, spawn, reload and end: each process sends what is its own, to the last line."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sdk.conftest import Receiver, Row

from tests.sdk.conftest import free_port, served_by

FOLDER = Path(__file__).parent
UVICORN = [sys.executable, "-m", "uvicorn", "served_application:app", "--app-dir", str(FOLDER), "--port", "PORT"]
GUNICORN = [
    *(sys.executable, "-m", "gunicorn", "--chdir", str(FOLDER), "--bind", "127.0.0.1:PORT", "--workers", "2"),
    # A worker that is stopped before it follows signals serves on, and gunicorn waits so long before it kills it.
    *("--graceful-timeout", "8"),
]
ASGI = ["--worker-class", "uvicorn_worker.UvicornWorker", "served_application:app"]
WSGI = ["--worker-class", "gthread", "--threads", "4", "served_wsgi:app"]

SERVERS = {
    "uvicorn": UVICORN,
    "uvicorn without lifespan": [*UVICORN, "--lifespan", "off"],
    "uvicorn on uvloop": [*UVICORN, "--loop", "uvloop"],
    "uvicorn, 2 workers": [*UVICORN, "--workers", "2"],
    "uvicorn, 2 workers without lifespan": [*UVICORN, "--workers", "2", "--lifespan", "off"],
    "uvicorn with reload": [*UVICORN, "--reload"],
    "gunicorn": [*GUNICORN, *ASGI],
    "gunicorn, preloaded": [*GUNICORN, "--preload", *ASGI],
    "gunicorn with threads": [*GUNICORN, *WSGI],
    "gunicorn with threads, preloaded": [*GUNICORN, "--preload", *WSGI],
}

REQUESTS = 40

BOTH = ("uvicorn without lifespan", "gunicorn, preloaded")
"""Those that also run over HTTP by default; the others do in the heavier suites."""

CASES = [
    pytest.param(server, protocol, marks=[pytest.mark.slow] if protocol != "grpc" and server not in BOTH else [])
    for server in SERVERS
    for protocol in ("grpc", "http/protobuf")
]


def of_trace(rows: "list[Row]", number: int) -> "list[Row]":
    return [row for row in rows if row.trace_id == f"{number:032x}"]


@pytest.mark.parametrize(("server", "protocol"), CASES)
def test_nothing_is_lost_or_mixed_up_between_the_processes_of_a_server_stopped_by_sigterm(
    receiver: "Receiver", tmp_path: Path, server: str, protocol: str
) -> None:
    port = free_port()
    command = [part.replace("PORT", str(port)) for part in SERVERS[server]]
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.grpc_endpoint if protocol == "grpc" else receiver.http_endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        "OTEL_PYTHON_FASTAPI_EXCLUDED_URLS": "health",
        # So late that only the end of a process can have sent it.
        "OTEL_BSP_SCHEDULE_DELAY": "60000",
        "OTEL_BLRP_SCHEDULE_DELAY": "60000",
        "OTEL_METRIC_EXPORT_INTERVAL": "60000",
    }
    pids: dict[int, int] = {}
    with served_by(command, port, tmp_path / "server.log", environment) as served:
        for number in range(1, REQUESTS + 1):
            status, body = served.get("/double", {"traceparent": f"00-{number:032x}-{number:016x}-01"})
            assert status == 200
            pids[number] = json.loads(body)
        served.stop()

    assert "Traceback" not in served.output.read_text()
    for number, pid in pids.items():
        spans = {span.name: span for span in of_trace(receiver.spans, number)}
        assert {"GET /double", "inference doubler"} <= set(spans)
        assert spans["inference doubler"].record.parent_span_id.hex() == spans["GET /double"].span_id
        assert {span.resource["process.pid"] for span in spans.values()} == {pid}
        (record,) = [row for row in of_trace(receiver.logs, number) if row.attributes.get("items") == 3]
        assert record.span_id == spans["GET /double"].span_id
    instances = {span.resource["service.instance.id"] for span in receiver.spans}
    assert len(instances) == len(set(pids.values()))
    counted = sum(point.count for point in receiver.last_points("infersight.inference.duration"))
    assert counted == REQUESTS
    if server.startswith("uvicorn"):
        finished = {row.resource["process.pid"] for row in receiver.logs if "Finished server" in str(row.record.body)}
        assert finished >= set(pids.values())


START_METHODS = """
import infersight, multiprocessing, sys
infersight.configure(endpoint=sys.argv[1], protocol=sys.argv[2])

@infersight.observe(model="m")
def infer(items): return items

def work(name):
    infer([name]); infer([name])

if __name__ == "__main__":
    work("parent")
    infersight.force_flush()
    for method in sys.argv[3:]:
        context = multiprocessing.get_context(method)
        children = [context.Process(target=work, args=(f"child {i}",)) for i in range(2)]
        [child.start() for child in children]
        [child.join() for child in children]
        assert [child.exitcode for child in children] == [0, 0]
"""


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_children_of_each_start_method_send_their_own_counts_once(
    receiver: "Receiver", tmp_path: Path, protocol: str
) -> None:
    script = tmp_path / "start_methods.py"
    script.write_text(START_METHODS)
    endpoint = receiver.grpc_endpoint if protocol == "grpc" else receiver.http_endpoint
    command = [sys.executable, str(script), endpoint, protocol, "fork", "spawn", "forkserver"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(receiver.spans) == 14
    assert len({span.resource["service.instance.id"] for span in receiver.spans}) == 7
    points = receiver.last_points("infersight.inference.duration")
    assert [point.count for point in points] == [2] * 7


FORKING = """
import infersight, multiprocessing, sys
infersight.configure(endpoint=sys.argv[1], protocol="grpc")
def work(name):
    with infersight.stage(name): pass
work("first"); infersight.force_flush()
context = multiprocessing.get_context("fork")
for i in range(20):
    child = context.Process(target=work, args=(f"child {i}",))
    child.start(); work("parent"); child.join()
    assert child.exitcode == 0
"""


def test_a_process_may_fork_at_any_moment_while_it_sends_over_grpc(receiver: "Receiver") -> None:
    # An export nearly always under way: gRPC gives up on a child that is forked in the middle of one.
    environment = {**os.environ, "OTEL_METRIC_EXPORT_INTERVAL": "20", "OTEL_BSP_SCHEDULE_DELAY": "5"}
    environment["INFERSIGHT_SHUTDOWN_SECONDS"] = "20"  # a busy machine is no lost child
    command = [sys.executable, "-c", FORKING, receiver.grpc_endpoint]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environment)
    assert done.returncode == 0, done.stderr
    assert "gave up" not in done.stderr
    assert len(receiver.spans) == 41
