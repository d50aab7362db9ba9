"""What the collector's process takes of its host."""

import os
import resource
import time
from pathlib import Path
from typing import Final

from infersight_collector.telemetry import Telemetry
from infersight_collector.telemetry.instruments import (
    CPU_TIME,
    FILE_DESCRIPTORS,
    MEMORY_USAGE,
    THREAD_COUNT,
    UPTIME,
)

_PROC: Final = Path("/proc/self")


def resident_bytes() -> int:
    """Resident memory of this process; where the kernel does not tell the present value, the highest so far."""
    try:
        return int((_PROC / "statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def thread_count() -> int:
    """Threads of this process, also those that Python knows nothing of; raises OSError where there is no /proc."""
    return sum(1 for _ in (_PROC / "task").iterdir())


def observe_process(telemetry: Telemetry) -> None:
    """Adds the metrics of this process."""
    started = time.monotonic()
    telemetry.observe(UPTIME, lambda: time.monotonic() - started)
    telemetry.observe(CPU_TIME, lambda: os.times().user, "user")
    telemetry.observe(CPU_TIME, lambda: os.times().system, "system")
    telemetry.observe(MEMORY_USAGE, resident_bytes)
    telemetry.observe(THREAD_COUNT, thread_count)
    telemetry.observe(FILE_DESCRIPTORS, lambda: sum(1 for _ in (_PROC / "fd").iterdir()))
