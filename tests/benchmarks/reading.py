"""Ingest while two readers ask the store, beside ingest alone: spans a second until durable and queryable.

`python tests/benchmarks/reading.py [--seconds 20] [--pauses 1 0]`. A reader opens the store, asks three questions (a
count, percentiles by name, a trace) and waits for the pause; it fails on any error and when a count goes down. On as
many cores as the collector needs itself, readers without a pause take their share of the processor, so both are shown.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.ingest import LOADS, await_records, cpu_seconds, prepare, send
from tests.support.collectors import Collectors

READER: Final = Path(__file__).parent / "load" / "reader.py"
READERS: Final = 2
LOAD: Final = LOADS["spans"]


@dataclass
class Run:
    """Spans a second, CPU microseconds of the collector a span, and what each reader has counted."""

    rate: float = 0.0
    cpu_us: float = 0.0
    readers: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


@contextmanager
def reading(store: Path, pause_s: float | None, run: Run) -> Generator[None]:
    """Readers for as long as the context lasts; none where `pause_s` is None."""
    command = [sys.executable, str(READER), str(store), str(pause_s)]
    readers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(READERS if pause_s is not None else 0)
    ]
    try:
        yield
        for reader in readers:
            said, _ = reader.communicate()
            if reader.returncode:
                raise SystemExit("a reader failed")
            run.readers.append(json.loads(said))
    finally:
        for reader in readers:
            reader.kill()


def measure(requests: Path, options: argparse.Namespace, pause_s: float | None) -> Run:
    """One collector from its start to the last span that SQL finds."""
    run = Run()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        collectors = Collectors(Path(folder))
        try:
            collector = collectors.start()
            before = cpu_seconds(collector.process.pid)
            with reading(collector.store, pause_s, run):
                begin = time.monotonic()
                counted = send(LOAD, "grpc", collector.grpc, requests, options)
                await_records(collector, LOAD.table, counted["records"])
                run.rate = counted["records"] / (time.monotonic() - begin)
            run.cpu_us = (cpu_seconds(collector.process.pid) - before) / counted["records"] * 1e6
        finally:
            collectors.end()
    return run


def main() -> None:
    """Print a line for each pause, and one for no readers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--pauses", type=float, nargs="*", default=[1.0, 0.0])
    parser.add_argument("--folder", default=None, help="where stores are made")
    options = parser.parse_args()
    print(f"{'':26}{'spans/s':>10}{'us CPU':>8}{'of alone':>10}{'rounds':>8}{'median s':>10}{'longest s':>11}")
    with tempfile.TemporaryDirectory() as folder:
        requests = Path(folder) / "requests"
        prepare(LOAD, requests)
        alone = measure(requests, options, None)
        print(f"{'alone':26}{alone.rate:10,.0f}{alone.cpu_us:8.2f}", flush=True)
        for pause_s in options.pauses:
            run = measure(requests, options, pause_s)
            rounds = sum(reader["rounds"] for reader in run.readers)
            middle, longest = (max(reader[key] for reader in run.readers) for key in ("median_s", "longest_s"))
            name = f"{READERS} readers, {pause_s:g} s between"
            print(
                f"{name:26}{run.rate:10,.0f}{run.cpu_us:8.2f}{run.rate / alone.rate:10.2f}"
                f"{rounds:8}{middle:10.2f}{longest:11.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
