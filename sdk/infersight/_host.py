"""What the process takes of its host, and the pauses of its garbage collector, as metrics.

Read from the kernel and the interpreter when metrics are collected, about a millisecond every ten seconds.
OpenTelemetry's system-metrics instrumentation is left out on purpose: it needs psutil, repeats the host's numbers in
each worker process, and says nothing about pauses.
"""

import gc
import os
import resource
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation

from infersight import _attributes as names
from infersight._faults import report
from infersight._version import __version__

_PROC: Final = Path("/proc/self")
_PAGE: Final = resource.getpagesize()

_LONG_PAUSE_NS: Final = 1_000_000
"""A shorter pause delays no request noticeably; it counts in the total time only."""

_PAUSES_KEPT: Final = 4_096
"""Long pauses between two collections of metrics; of more, the last ones."""

_PAUSE_BOUNDS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

Readings = Iterable[tuple[float, Mapping[str, str | int]]]
"""Values of one metric, each with its attributes."""


class GcPauses:
    """Times each garbage collection.

    The callback may run at any allocation, also inside the metrics SDK while it holds its locks: so it keeps numbers,
    and records nothing itself.
    """

    def __init__(self) -> None:
        self._began_ns = 0
        self._total_ns = [0, 0, 0]
        self._long: deque[tuple[int, int]] = deque(maxlen=_PAUSES_KEPT)
        gc.callbacks.append(self._step)

    def stop(self) -> None:
        """Time no further collection."""
        if self._step in gc.callbacks:
            gc.callbacks.remove(self._step)

    def totals(self) -> Readings:
        """Seconds spent in the collections of each generation."""
        return [(total * 1e-9, {names.GC_GENERATION: index}) for index, total in enumerate(self._total_ns)]

    def take_long(self) -> list[tuple[float, int]]:
        """Seconds and generation of each long pause since the last call."""
        return [(pause_ns * 1e-9, generation) for pause_ns, generation in _drained(self._long)]

    def _step(self, phase: str, info: dict[str, int]) -> None:
        now = time.perf_counter_ns()
        if phase == "start":
            self._began_ns = now
        elif self._began_ns:
            pause_ns = now - self._began_ns
            self._total_ns[info["generation"]] += pause_ns
            if pause_ns >= _LONG_PAUSE_NS:
                self._long.append((pause_ns, info["generation"]))


def _drained(queue: deque[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    for _ in range(len(queue)):
        yield queue.popleft()


class HostMetrics:
    """Makes the instruments on a meter provider; `stop` ends what it does besides being asked."""

    def __init__(self, provider: MeterProvider) -> None:
        self._pauses = GcPauses()
        meter = provider.get_meter(names.SCOPE, __version__, names.SCHEMA_URL)
        self._pause = meter.create_histogram(
            names.GC_PAUSE,
            unit="s",
            description="Garbage collections that took a millisecond or more.",
            explicit_bucket_boundaries_advisory=_PAUSE_BOUNDS,
        )
        counters: list[tuple[str, str, str, Callable[[], Readings]]] = [
            (names.PROCESS_CPU_TIME, "s", "CPU time of the process.", _cpu_time),
            (names.PROCESS_CONTEXT_SWITCHES, "{context_switch}", "Context switches.", _context_switches),
            (names.PROCESS_PAGING_FAULTS, "{fault}", "Page faults.", _paging_faults),
            (names.GC_COLLECTIONS, "{collection}", "Garbage collections.", lambda: _gc("collections")),
            (names.GC_COLLECTED_OBJECTS, "{object}", "Objects collected.", lambda: _gc("collected")),
            (names.GC_UNCOLLECTABLE_OBJECTS, "{object}", "Uncollectable objects.", lambda: _gc("uncollectable")),
            (names.GC_TIME, "s", "Time in garbage collections.", self._gc_time),
        ]
        levels: list[tuple[str, str, str, Callable[[], Readings]]] = [
            (names.PROCESS_MEMORY_USAGE, "By", "Resident memory of the process.", lambda: _memory(1)),
            (names.PROCESS_MEMORY_VIRTUAL, "By", "Virtual memory of the process.", lambda: _memory(0)),
            (names.PROCESS_THREAD_COUNT, "{thread}", "Threads of the process.", _threads),
            (names.PROCESS_FILE_DESCRIPTOR_COUNT, "{file_descriptor}", "Open files of the process.", _open_files),
        ]
        for name, unit, description, read in counters:
            meter.create_observable_counter(name, [observing(read)], unit, description)
        for name, unit, description, read in levels:
            meter.create_observable_up_down_counter(name, [observing(read)], unit, description)

    def stop(self) -> None:
        """Time no further garbage collection."""
        self._pauses.stop()

    def _gc_time(self) -> Readings:
        for seconds, generation in self._pauses.take_long():
            self._pause.record(seconds, {names.GC_GENERATION: generation})
        return self._pauses.totals()


def observing(read: Callable[[], Readings]) -> Callable[[CallbackOptions], Iterable[Observation]]:
    """A reading as the metrics SDK asks for it; no values where it fails."""

    def observe(_options: CallbackOptions) -> Iterable[Observation]:
        try:
            return [Observation(value, attributes) for value, attributes in read()]
        except OSError:  # no such file on this system
            return []
        except Exception:  # noqa: BLE001 - the other metrics are collected in any case
            report("read a host metric")
            return []

    return observe


def _cpu_time() -> Readings:
    times = os.times()
    return [(times.user, {names.PROCESS_CPU_MODE: "user"}), (times.system, {names.PROCESS_CPU_MODE: "system"})]


def _context_switches() -> Readings:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    key = names.PROCESS_CONTEXT_SWITCH_TYPE
    return [(usage.ru_nvcsw, {key: "voluntary"}), (usage.ru_nivcsw, {key: "involuntary"})]


def _paging_faults() -> Readings:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return [
        (usage.ru_majflt, {names.PAGING_FAULT_TYPE: "major"}),
        (usage.ru_minflt, {names.PAGING_FAULT_TYPE: "minor"}),
    ]


def _gc(what: str) -> Readings:
    return [(stats[what], {names.GC_GENERATION: generation}) for generation, stats in enumerate(gc.get_stats())]


def _memory(column: int) -> Readings:
    """Linux: a column of /proc/self/statm, in pages."""
    return [(int((_PROC / "statm").read_text().split()[column]) * _PAGE, {})]


def _threads() -> Readings:
    """Linux: also the threads that Python knows nothing of."""
    return [(sum(1 for _ in (_PROC / "task").iterdir()), {})]


def _open_files() -> Readings:
    return [(sum(1 for _ in (_PROC / "fd").iterdir()) - 1, {})]  # without the one that lists them
