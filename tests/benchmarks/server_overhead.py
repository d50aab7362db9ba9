"""Requests a second, p50 and p99 of a real FastAPI and PyTorch server: bare, with OpenTelemetry's, and with ours.

The servers run side by side, each its own process, and are asked in turns, round for round, so that what else the
machine does meets all of them; the median round counts. A receiver takes all telemetry. The client, the receiver and
the servers share the machine, so that absolute numbers say little.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final, NamedTuple

WAYS: Final = ("bare", "opentelemetry", "infersight", "infersight, observed")
ROUNDS: Final = int(os.environ.get("OVERHEAD_ROUNDS", "15"))
REQUESTS: Final = 400
CONNECTIONS: Final = 8
START_SECONDS: Final = 60
GOAL: Final = 1.03
"""Our time for a request, by that with OpenTelemetry's own instrumentation."""


class Round(NamedTuple):
    """Requests a second, and latencies in milliseconds."""

    rate: float
    p50: float
    p99: float


class Accepting(BaseHTTPRequestHandler):
    """An OTLP receiver that takes everything and keeps nothing."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


async def ask(port: int, requests: int, latencies: list[float]) -> None:
    """Make requests one after another on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in range(requests):
        began = time.perf_counter()
        writer.write(f"GET /infer?number={number} HTTP/1.1\r\nhost: t\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))
        latencies.append((time.perf_counter() - began) * 1e3)
    writer.close()


async def round_of(port: int) -> Round:
    """Measure one server."""
    latencies: list[float] = []
    began = time.perf_counter()
    await asyncio.gather(*(ask(port, REQUESTS // CONNECTIONS, latencies) for _ in range(CONNECTIONS)))
    took = time.perf_counter() - began
    percentiles = statistics.quantiles(latencies, n=100)
    return Round(len(latencies) / took, percentiles[49], percentiles[98])


@contextmanager
def served(way: str, receiver: str) -> Generator[int]:
    """A server of this way; yields its port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as free:
        port = free.server_port
    command = [sys.executable, "-m", "uvicorn", "overhead_application:app", "--port", str(port), "--no-access-log"]
    exporting = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
    stable = {"OTEL_SEMCONV_STABILITY_OPT_IN": "http", "OVERHEAD_WAY": way}
    process = subprocess.Popen(
        command, cwd=Path(__file__).parent, env={**os.environ, **exporting, **stable}, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                break
            except OSError:
                assert time.monotonic() < deadline, f"the server does not start: {way}"
                assert process.poll() is None, f"the server ended: {way}"
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait()


def measure(receiver: str) -> dict[str, list[Round]]:
    """All rounds of all ways."""
    rounds: dict[str, list[Round]] = {way: [] for way in WAYS}
    ports: dict[str, int] = {}

    def within(remaining: tuple[str, ...]) -> None:
        if remaining:
            with served(remaining[0], receiver) as ports[remaining[0]]:
                within(remaining[1:])
            return
        for number in range(ROUNDS + 1):
            for way in WAYS:
                measured = asyncio.run(round_of(ports[way]))
                if number:  # the first round warms up
                    rounds[way].append(measured)

    within(WAYS)
    return rounds


def main() -> None:
    """Measure and print."""
    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Accepting)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    rounds = measure(f"http://127.0.0.1:{receiver.server_port}")
    receiver.shutdown()
    plain = rounds["opentelemetry"]
    print(f"{'':24} {'requests/s':>10} {'p50 ms':>8} {'p99 ms':>8}   time by OpenTelemetry's")
    for way, measured in rounds.items():
        rate, p50, p99 = (statistics.median(column) for column in zip(*measured, strict=True))
        ratio = statistics.median(reference.rate / own.rate for reference, own in zip(plain, measured, strict=True))
        print(f"{way:24} {rate:10.0f} {p50:8.2f} {p99:8.2f} {ratio:8.3f}")
    print(f"the goal for infersight is at most {GOAL:g}")


if __name__ == "__main__":
    main()
