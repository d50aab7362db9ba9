"""Telemetry until it is durable and queryable, beside Rotel, which decodes the same spans and throws them away.

`python tests/benchmarks/ingest.py [--seconds 20] [--connections 8] [CASE ...]`; needs the extra `foreign` for Rotel.
Each case runs both, one after the other, on the same cores as the sender. Our rate counts until SQL finds the last
record: the time that the log takes to be emptied is in it.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE
from tests.benchmarks.decode import attributes, put, request_of
from tests.support.collectors import Collectors, RunningCollector
from tests.support.foreign import free_port, rotel, wait_for_listener

SENDER: Final = Path(__file__).parent / "load" / "sender.py"
START_NS: Final = 1_790_000_000_000_000_000


@dataclass(frozen=True)
class Load:
    """What is sent: the signal, its table, and how a request is made."""

    signal: str
    service: str
    table: str
    records: int
    requests: int
    make: Callable[[int, int], bytes]


@dataclass(frozen=True)
class Run:
    """What one collector did: records a second, CPU seconds a record, peak memory."""

    rate: float
    cpu: float
    memory_mib: float
    sender_cpu: float
    refused: int


def logs_request(records: int, seed: int) -> bytes:
    """Log records with a trace, a text of some 80 characters and five attributes."""
    rng = random.Random(seed)
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    put(resource.resource.attributes, {"service.name": "fraud", "service.version": "1.2.3"})
    scope = resource.scope_logs.add()
    for _ in range(records):
        time_ns = START_NS + rng.randrange(10**12)
        record = scope.log_records.add(
            time_unix_nano=time_ns,
            observed_time_unix_nano=time_ns,
            severity_number=9,
            severity_text="INFO",
            trace_id=rng.randbytes(16),
            span_id=rng.randbytes(8),
        )
        record.body.string_value = (
            f"prediction {rng.getrandbits(48):012x} for user {rng.randrange(50_000)} took {rng.random():.6f} s on cuda"
        )
        put(record.attributes, dict(list(attributes(rng).items())[:5]))
    return bytes(request.SerializeToString())


def metrics_request(points: int, seed: int) -> bytes:
    """Data points of one histogram of twelve buckets, in as many series."""
    rng = random.Random(seed)
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    put(resource.resource.attributes, {"service.name": "fraud", "service.version": "1.2.3"})
    metric = resource.scope_metrics.add().metrics.add(name="http.server.request.duration", unit="s")
    metric.histogram.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
    for _ in range(points):
        time_ns = START_NS + rng.randrange(10**12)
        counts = [rng.randrange(1_000) for _ in range(12)]
        point = metric.histogram.data_points.add(
            start_time_unix_nano=START_NS, time_unix_nano=time_ns, count=sum(counts), sum=rng.random() * 100
        )
        point.explicit_bounds.extend(0.005 * 2**power for power in range(11))
        point.bucket_counts.extend(counts)
        put(point.attributes, dict(list(attributes(rng).items())[:5]))
    return bytes(request.SerializeToString())


TRACES: Final = "opentelemetry.proto.collector.trace.v1.TraceService"
LOGS: Final = "opentelemetry.proto.collector.logs.v1.LogsService"
METRICS: Final = "opentelemetry.proto.collector.metrics.v1.MetricsService"

LOADS: Final = {
    "spans": Load("traces", TRACES, "spans", 1_000, 200, request_of),
    "small": Load("traces", TRACES, "spans", 10, 4_000, request_of),
    "logs": Load("logs", LOGS, "logs", 1_000, 200, logs_request),
    "metrics": Load("metrics", METRICS, "metrics", 1_000, 100, metrics_request),
}
PROTOCOLS: Final = ("grpc", "http")


def prepare(load: Load, path: Path) -> None:
    """Writes the requests of a load into a file for the sender."""
    with path.open("wb") as file:
        for seed in range(load.requests):
            body = load.make(load.records, seed)
            file.write(len(body).to_bytes(4, "big") + load.records.to_bytes(4, "big") + body)


def send(load: Load, protocol: str, address: str, requests: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Runs the sender and returns what it counted."""
    path = f"/v1/{load.signal}" if protocol == "http" else f"/{load.service}/Export"
    command = [sys.executable, SENDER, protocol, address, path, requests, options.connections, options.seconds]
    done = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
    counted: dict[str, Any] = json.loads(done.stdout)
    return counted


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and its threads so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def peak_memory_mib(pid: int) -> float:
    """The most memory that a process has had."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


@contextmanager
def running_rotel(folder: Path) -> Generator[tuple[int, dict[str, str]]]:
    """A Rotel that discards; its pid and addresses."""
    addresses = {protocol: f"127.0.0.1:{free_port()}" for protocol in PROTOCOLS}
    command = [str(rotel()), "start", "--pid-file", str(folder / "pid"), "--exporter", "blackhole"]
    for protocol, address in addresses.items():
        command += [f"--otlp-{protocol}-endpoint", address]
    with (folder / "rotel.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        for address in addresses.values():
            wait_for_listener(address)
        yield process.pid, addresses
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def measure_rotel(load: Load, protocol: str, requests: Path, options: argparse.Namespace) -> Run:
    """Rotel's rate: what it has acknowledged and thrown away."""
    with tempfile.TemporaryDirectory() as folder, running_rotel(Path(folder)) as (pid, addresses):
        before = cpu_seconds(pid)
        counted = send(load, protocol, addresses[protocol], requests, options)
        records = counted["records"]
        spent = cpu_seconds(pid) - before
        rate = records / counted["seconds"]
        return Run(rate, spent / records, peak_memory_mib(pid), counted["cpu"] / records, counted["refused"])


def measure_ours(load: Load, protocol: str, requests: Path, options: argparse.Namespace) -> Run:
    """Our rate: until the last record that was acknowledged is found by SQL."""
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        collectors = Collectors(Path(folder))
        try:
            collector = collectors.start()
            before, begin = cpu_seconds(collector.process.pid), time.monotonic()
            address = collector.grpc if protocol == "grpc" else collector.http
            counted = send(load, protocol, address, requests, options)
            records = counted["records"]
            await_records(collector, load.table, records)
            rate = records / (time.monotonic() - begin)
            pid = collector.process.pid
            spent = cpu_seconds(pid) - before
            return Run(rate, spent / records, peak_memory_mib(pid), counted["cpu"] / records, counted["refused"])
        finally:
            collectors.end()


def await_records(collector: RunningCollector, table: str, records: int) -> None:
    """Returns when SQL counts so many, and fails when it counts more."""
    own = "where service_name = 'fraud'"
    while (found := collector.query(f"select count(*) from {table} {own}")[0][0]) < records:
        time.sleep(0.2)
    if found != records:
        raise SystemExit(f"{found} records are stored, {records} were acknowledged")


def main() -> None:
    """Print a line for each case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=[], help="such as spans/grpc; all when none is given")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--folder", default=None, help="where stores are made")
    options = parser.parse_args()
    print(f"{'':14}{'queryable/s':>12}{'us CPU':>8}{'MiB':>6}{'Rotel/s':>12}{'us CPU':>8}{'ratio':>7}{'sender us':>11}")
    with tempfile.TemporaryDirectory() as folder:
        for name, load in LOADS.items():
            requests = Path(folder) / name
            for protocol in PROTOCOLS:
                case = f"{name}/{protocol}"
                if options.cases and case not in options.cases:
                    continue
                if not requests.exists():
                    prepare(load, requests)
                theirs = measure_rotel(load, protocol, requests, options)
                ours = measure_ours(load, protocol, requests, options)
                print(
                    f"{case:14}{ours.rate:12,.0f}{ours.cpu * 1e6:8.2f}{ours.memory_mib:6.0f}"
                    f"{theirs.rate:12,.0f}{theirs.cpu * 1e6:8.2f}{ours.rate / theirs.rate:7.2f}"
                    f"{ours.sender_cpu * 1e6:11.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
