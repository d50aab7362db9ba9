"""Real servers under concurrent requests of every kind: no span lost, none with a wrong parent or trace."""

import asyncio
import itertools
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sdk.conftest import Receiver, Row

from tests.sdk.conftest import free_port, served_by

FOLDER = str(Path(__file__).parent)
UVICORN = [sys.executable, "-m", "uvicorn", "loaded_application:app", "--app-dir", FOLDER, "--port", "PORT"]
GUNICORN = [
    sys.executable,
    "-m",
    "gunicorn",
    "--chdir",
    FOLDER,
    "--bind",
    "127.0.0.1:PORT",
    "--graceful-timeout",
    "8",
    "loaded_application:app",
]
SERVERS = {
    "uvicorn, 4 workers": [*UVICORN, "--workers", "4", "--no-access-log"],
    "gunicorn, 2 workers": [*GUNICORN, "--workers", "2", "--worker-class", "uvicorn_worker.UvicornWorker"],
}

INFERENCES = {
    "gather": 3,
    "to_thread": 1,
    "executor": 1,
    "thread": 1,
    "pool": 1,
    "background": 1,
    "stream": 3,
    "stream_sync": 3,
    "endless": 1,
    "batch": 0,
    "log": 0,
}
"""Observed calls of one request of each route."""

CONNECTIONS = 32


async def get(port: int, path: str, number: int) -> float:
    """Make one request; of an endless response read the beginning. Returns when it ended, in epoch seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    trace = f"00-{number:032x}-{number:016x}-01"
    writer.write(f"GET {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\ntraceparent: {trace}\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    if path.startswith("/endless"):
        await reader.readexactly(100_000)
        writer.transport.abort()
    else:
        await reader.read()
        writer.close()
    return time.time()


async def load(port: int, requests: int) -> tuple[dict[int, str], dict[int, float]]:
    """Request all routes in turn over many connections; the route of each trace, and when it ended."""
    routes: dict[int, str] = {}
    ended: dict[int, float] = {}
    numbers = iter(range(1, requests + 1))
    names = itertools.cycle(INFERENCES)

    async def client() -> None:
        for number in numbers:
            routes[number] = next(names)
            ended[number] = await get(port, f"/{routes[number]}/{number}", number)

    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    return routes, ended


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("requests", [660, pytest.param(11_000, marks=pytest.mark.slow)])
def test_each_span_of_each_concurrent_request_arrives_once_below_its_own_request(
    receiver: "Receiver", tmp_path: Path, server: str, requests: int
) -> None:
    port = free_port()
    command = [part.replace("PORT", str(port)) for part in SERVERS[server]]
    exporting = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.grpc_endpoint,
        "OTEL_PYTHON_FASTAPI_EXCLUDED_URLS": "health",
    }
    with served_by(command, port, tmp_path / "server.log", exporting) as served:
        routes, ended = asyncio.run(load(port, requests))
        served.stop()
    assert "Traceback" not in served.output.read_text()

    traces: dict[str, list[Row]] = defaultdict(list)
    for span in receiver.spans:
        traces[span.trace_id].append(span)
    assert len({span.span_id for span in receiver.spans}) == len(receiver.spans)
    requests_by_id = {
        number: check_request(traces[f"{number:032x}"], number, route, ended[number])
        for number, route in routes.items()
    }
    check_batches(traces, {requests_by_id[number] for number, route in routes.items() if route == "batch"})
    logged = {row.trace_id: row for row in receiver.logs if row.record.body.string_value.startswith("number ")}
    for number, route in routes.items():
        if route == "log":
            row = logged.pop(f"{number:032x}")
            assert (row.record.body.string_value, row.span_id) == (f"number {number}", requests_by_id[number])
    assert logged == {}


def check_request(spans: "list[Row]", number: int, route: str, ended: float) -> str:
    """The spans of one request are those that its route makes; returns the id of the server span."""
    by_name: dict[str, list[Row]] = defaultdict(list)
    for span in spans:
        by_name[span.name].append(span)
    (server,) = by_name[f"GET /{route}/{{number}}"]
    assert server.record.parent_span_id.hex() == f"{number:016x}"
    inferences = by_name["inference echo"]
    assert len(inferences) == INFERENCES[route], (route, sorted(by_name))
    parent_of = {span.span_id: span.record.parent_span_id.hex() for span in spans}
    # FastAPI's instrumentation puts a span around a background task.
    between = {span.span_id for span in spans if span.name.startswith("BackgroundTask")}
    assert {parent_of[span_id] for span_id in between} <= {server.span_id}
    assert {parent_of[span.span_id] for span in inferences} <= (between or {server.span_id})
    parents = sorted(span.record.parent_span_id.hex() for span in by_name["deep"])
    assert parents == sorted(span.span_id for span in inferences)
    waited = [(span.name, span.record.parent_span_id.hex()) for span in by_name["queue"] + by_name["batched doubler"]]
    expected = [("queue", server.span_id), ("batched doubler", server.span_id)] if route == "batch" else []
    assert waited == expected
    begun = [span.record.start_time_unix_nano for span in inferences]
    if route in {"stream", "stream_sync"}:
        assert server.record.end_time_unix_nano > max(begun)
    if route == "endless":
        assert server.record.end_time_unix_nano / 1e9 < ended + 10
    return server.span_id


def check_batches(traces: "dict[str, list[Row]]", requests: set[str]) -> None:
    """Each request of the batcher is linked once, by one batch."""
    batches = [span for spans in traces.values() for span in spans if span.name == "batch doubler"]
    linked = [(link.trace_id.hex(), link.span_id.hex()) for span in batches for link in span.record.links]
    assert len(set(linked)) == len(linked) == len(requests)
