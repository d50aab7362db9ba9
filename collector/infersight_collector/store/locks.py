"""Locks between the processes that use one store. The kernel takes them from a process that dies."""

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from infersight_collector.store.errors import unavailable

MAINTENANCE: Final = "maintenance.lock"
"""Held by the one who merges, drops and deletes files of a store."""

WRITING: Final = "writing.lock"
"""Shared by all who have written files that do not belong to a table yet; held alone to tell which ones never will."""

_POLL_S: Final = 0.02


@contextmanager
def locked(path: Path, *, shared: bool = False, wait_s: float | None = None) -> Generator[bool]:
    """Holds a lock for as long as the context lasts; the context is whether that was possible.

    Args:
        path: the file that stands for the lock, made where it is absent.
        shared: whether others may hold it as well, if they share it too.
        wait_s: how long to wait for others, in seconds; until it is free by default.

    Raises:
        StoreUnavailable: the file cannot be made.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise unavailable(f"write to {path.parent}", error) from error
    try:
        yield _is_taken(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX, wait_s)
    finally:
        os.close(descriptor)


def _is_taken(descriptor: int, kind: int, wait_s: float | None) -> bool:
    if wait_s is None:
        fcntl.flock(descriptor, kind)
        return True
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_S)
        else:
            return True
