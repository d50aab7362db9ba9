"""Servers that fork, spawn, reload and end: each process sends what is its own, to the last line."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sdk.conftest import Receiver, Row, Script

from tests.sdk.conftest import free_port, served_by

FOLDER = Path(__file__).parent
UVICORN = [sys.executable, "-m", "uvicorn", "served_application:app", "--app-dir", str(FOLDER), "--port", "PORT"]
GUNICORN = [sys.executable, "-m", "gunicorn", "--chdir", str(FOLDER), "--bind", "127.0.0.1:PORT", "--workers", "2"]
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


def of_trace(rows: "list[Row]", number: int) -> "list[Row]":
    return [row for row in rows if row.trace_id == f"{number:032x}"]


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
@pytest.mark.parametrize("server", SERVERS)
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
