"""What the process takes of its host, and the pauses of its garbage collector, as metrics.

Read from the kernel and the interpreter when metrics are collected, about a millisecond every ten seconds.
OpenTelemetry's system-metrics instrumentation is left out on purpose: it needs psutil, repeats the host's numbers in
each worker process, and says nothing about pauses.
"""

import gc
import os
import resource
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation

from infersight import _attributes as names
from infersight._faults import report
from infersight._pauses import GcPauses, Readings
from infersight._version import __version__

_PROC: Final = Path("/proc/self")
_PAGE: Final = resource.getpagesize()

_PAUSE_BOUNDS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class HostMetrics:
    """Makes the instruments on a meter provider.

    Args:
        provider: where the instruments are made.
        pauses: of the garbage collector.
    """

    def __init__(self, provider: MeterProvider, pauses: GcPauses) -> None:
        self._pauses = pauses
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
