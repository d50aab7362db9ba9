"""Locks between the processes that use one store. The kernel takes them from a process that dies."""

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from infersight_collector.store.errors import unavailable

MAINTENANCE: Final = "maintenance.lock"
"""Held by the one who merges, drops and deletes files of a store."""

_WRITING: Final = "writing.lock"
_TURN: Final = "turn.lock"
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


@contextmanager
def writing(store: Path) -> Generator[None]:
    """Held by everyone who writes files that do not belong to a table yet, until they do.

    Raises:
        StoreUnavailable: the directory cannot be written.
    """
    with ExitStack() as held:
        with locked(store / _TURN):
            held.enter_context(locked(store / _WRITING, shared=True))
        yield


@contextmanager
def nobody_writing(store: Path, wait_s: float) -> Generator[bool]:
    """Lets nobody begin to write, and waits until those who do are done; the context is whether they are.

    Args:
        store: directory of the store.
        wait_s: how long to wait, in seconds.

    Raises:
        StoreUnavailable: the directory cannot be written.
    """
    # Whoever holds the turn is next, so that writers who leave no gap between them let this one in.
    with locked(store / _TURN), locked(store / _WRITING, wait_s=wait_s) as is_alone:
        yield is_alone


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
