"""How the process's memory is allocated: kept instead of given back to the kernel after each flush."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyarrow publishes no types.

import ctypes
from typing import Any, Final

import pyarrow as pa

# Numbers of glibc's malloc.h.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8

_KEPT: Final = 2**30
"""Blocks up to this size, and this much free memory, stay with the process."""


def keep_memory() -> None:
    """Lets Arrow and numpy reuse the memory of the last flush; for the start of a process, before it has threads.

    A flush takes a few hundred megabytes in large blocks. Given back each time, the kernel has to clear 40 000 pages
    for the next one, a quarter of the flush's time. Where the C library is not glibc, nothing is changed.
    """
    mallopt: Any = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    # One arena, because the others give large blocks back whatever the thresholds are.
    for option, value in ((_M_MMAP_THRESHOLD, _KEPT), (_M_TRIM_THRESHOLD, _KEPT), (_M_ARENA_MAX, 1)):
        mallopt(option, value)
    pa.set_memory_pool(pa.system_memory_pool())
