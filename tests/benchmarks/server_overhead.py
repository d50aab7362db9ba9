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

REFERENCES: Final = {
    "bare": "bare",
    "opentelemetry": "bare",
    "infersight": "opentelemetry",
    "infersight, profiled": "infersight",
    "opentelemetry, by hand": "bare",
    "infersight, observed": "opentelemetry, by hand",
}
"""The ways, and which other each is compared with. The last two have a span and metrics for the inference besides."""
PROFILED: Final = "profiled"
"""The manner of a way whose open requests are looked at 100 times a second."""

ROUNDS: Final = int(os.environ.get("OVERHEAD_ROUNDS", "15"))
REQUESTS: Final = 400
CONNECTIONS: Final = 8
START_SECONDS: Final = 60
GOAL: Final = 1.03
"""The time of our ways for a request, by that of OpenTelemetry's."""


class Round(NamedTuple):
    """Requests a second, latencies and the server's CPU time of a request in milliseconds."""

    rate: float
    p50: float
    p99: float
    cpu: float


class Server(NamedTuple):
    """A running server."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """CPU time of all its threads so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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


async def round_of(server: Server) -> Round:
    """Measure one server."""
    latencies: list[float] = []
    began, cpu_before = time.perf_counter(), server.cpu_seconds()
    await asyncio.gather(*(ask(server.port, REQUESTS // CONNECTIONS, latencies) for _ in range(CONNECTIONS)))
    took = time.perf_counter() - began
    cpu = (server.cpu_seconds() - cpu_before) / len(latencies) * 1e3
    percentiles = statistics.quantiles(latencies, n=100)
    return Round(len(latencies) / took, percentiles[49], percentiles[98], cpu)


@contextmanager
def served(way: str, receiver: str) -> Generator[Server]:
    """A server of this way."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as free:
        port = free.server_port
    command = [sys.executable, "-m", "uvicorn", "overhead_application:app", "--port", str(port), "--no-access-log"]
    exporting = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
    kind, _, manner = way.partition(", ")
    stable = {"OTEL_SEMCONV_STABILITY_OPT_IN": "http", "OVERHEAD_WAY": kind if manner == PROFILED else way}
    if manner == PROFILED:
        stable["INFERSIGHT_PROFILE_RATE"] = "100"
    process = subprocess.Popen(
        command,
        cwd=Path(__file__).parent / "served",
        env={**os.environ, **exporting, **stable},
        stderr=subprocess.DEVNULL,
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
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait()


def measure(receiver: str) -> dict[str, list[Round]]:
    """All rounds of all ways."""
    rounds: dict[str, list[Round]] = {way: [] for way in REFERENCES}
    servers: dict[str, Server] = {}

    def within(remaining: tuple[str, ...]) -> None:
        if remaining:
            with served(remaining[0], receiver) as servers[remaining[0]]:
                within(remaining[1:])
            return
        for number in range(ROUNDS + 1):
            for way in REFERENCES:
                measured = asyncio.run(round_of(servers[way]))
                if number:  # the first round warms up
                    rounds[way].append(measured)

    within(tuple(REFERENCES))
    return rounds


def main() -> None:
    """Measure and print."""
    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Accepting)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    rounds = measure(f"http://127.0.0.1:{receiver.server_port}")
    receiver.shutdown()
    print(f"{'':24} {'requests/s':>10} {'p50 ms':>8} {'p99 ms':>8} {'CPU ms':>8} {'time':>8}")
    for way, reference in REFERENCES.items():
        rate, p50, p99, cpu = (statistics.median(column) for column in zip(*rounds[way], strict=True))
        pairs = zip(rounds[reference], rounds[way], strict=True)
        ratio = statistics.median(other.rate / own.rate for other, own in pairs)
        print(f"{way:24} {rate:10.0f} {p50:8.2f} {p99:8.2f} {cpu:8.2f} {ratio:8.3f} of {reference}")
    print(f"the goal for infersight is at most {GOAL:g}")


if __name__ == "__main__":
    main()
