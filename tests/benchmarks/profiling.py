"""What a CPU profile costs the process that is looked at: `python tests/benchmarks/profiling.py [--rate 100]`.

A process computes, and every other few seconds py-spy looks at it, as `infersight profile cpu` does. Throughput by the
wall's clock says what the halts cost, on a machine with nothing else to do; by its CPU time it holds on a busy one.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Final

from infersight_analysis.profiles.processes import program

SECONDS: Final = 3.0
WORK: Final = """
import sys, threading, time

def work(depth):
    return work(depth - 1) if depth else sum(range(2000))

rounds = 0

def tell():
    for _ in sys.stdin:
        print(rounds, time.process_time_ns(), flush=True)

threading.Thread(target=tell, daemon=True).start()
while True:
    work(30)
    rounds += 1
"""


class Worker:
    """A process that computes, and says how far it is."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def told(self) -> tuple[int, int]:
        """Rounds, and nanoseconds of CPU time."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        rounds, cpu_ns = self.process.stdout.readline().split()
        return int(rounds), int(cpu_ns)

    def throughput(self) -> tuple[float, float]:
        """Rounds a second, and a second of CPU time."""
        (rounds, cpu_ns), begin = self.told(), time.perf_counter()
        time.sleep(SECONDS)
        (after, cpu_after_ns), end = self.told(), time.perf_counter()
        return (after - rounds) / (end - begin), (after - rounds) / ((cpu_after_ns - cpu_ns) / 1e9)


def compare(rate: int, runs: int) -> None:
    """Print throughput with a profiler as a share of that without."""
    worker = Worker()
    worker.throughput()
    alone: list[tuple[float, float]] = []
    profiled: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(runs):
            alone.append(worker.throughput())
            command = [program("py-spy"), "record", "--pid", str(worker.process.pid), "--rate", str(rate)]
            command += ["--format", "speedscope", "--output", str(Path(folder) / "profile.json")]
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as profiler:
                time.sleep(0.5)  # it reads the interpreter's symbols first
                profiled.append(worker.throughput())
                profiler.send_signal(signal.SIGINT)
    worker.process.kill()
    for place, clock in enumerate(("the wall's clock", "CPU time")):
        share = median(one[place] / other[place] for one, other in zip(profiled, alone, strict=True))
        print(f"{rate} looks a second: {share:.3f} of the throughput by {clock}")


def main() -> None:
    """Print it for one rate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--runs", type=int, default=10)
    options = parser.parse_args()
    compare(options.rate, options.runs)


if __name__ == "__main__":
    main()
