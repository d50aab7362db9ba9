"""How the process's memory is allocated while it computes."""

import ctypes
import gc
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

# Numbers of glibc's malloc.h.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8

_ALL: Final = 2**31 - 1


def keep_memory() -> None:
    """Lets the process reuse the memory of arrays that are gone; for a command that computes and ends.

    By default glibc gives the memory of each large array back and takes it anew for the next one, page by page, which
    takes longer than most of what is done with it. Where the C library is not glibc, nothing is changed.
    """
    mallopt: Any = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    for option, value in ((_M_MMAP_THRESHOLD, 2**30), (_M_TRIM_THRESHOLD, _ALL), (_M_ARENA_MAX, 1)):
        mallopt(option, value)


@contextmanager
def uncollected() -> Generator[None]:
    """No garbage collections meanwhile: ten thousand spans that all stay would be looked through again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
