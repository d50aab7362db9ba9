"""How much memory this process takes, and may take."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyarrow publishes no types.

import gc
import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa

from infersight_collector.memory import trim_memory

_GROUPS: Final = Path("/sys/fs/cgroup")
_MEMBERSHIP: Final = Path("/proc/self/cgroup")
_RESIDENT: Final = Path("/proc/self/statm")


def resident_bytes() -> int:
    """Resident memory of this process; its highest so far where the system tells no more than that."""
    try:
        return int(_RESIDENT.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except FileNotFoundError:  # no Linux
        highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return highest if sys.platform == "darwin" else highest * 1024


def give_back() -> None:
    """Returns what is free inside the process to the system; until then it counts as resident."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    trim_memory()


def available_bytes(groups: Path = _GROUPS, membership: Path = _MEMBERSHIP) -> int:
    """Memory that this process may take: that of the machine, or less where a control group limits it.

    Args:
        groups: where the control groups are mounted, version 2 or 1.
        membership: the file that lists this process's groups.
    """
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min([machine, *_limits(groups, membership)])


def _limits(groups: Path, membership: Path) -> Iterator[int]:
    """The limits of the groups that this process is in, and of those around them."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            yield from _limits_above(groups, path, "memory.max")
        elif "memory" in controllers.split(","):
            yield from _limits_above(groups / "memory", path, "memory.limit_in_bytes")


def _limits_above(root: Path, path: str, name: str) -> Iterator[int]:
    # In a container, the group's own path is often not visible, and the root is the group itself.
    group = Path(path.lstrip("/"))
    for place in (group, *group.parents):
        try:
            text = (root / place / name).read_text().strip()
        except OSError:
            continue
        if text.isdecimal():  # or "max"
            yield int(text)
