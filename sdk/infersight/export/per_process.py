"""Something that does not survive a fork, made again in each process when it is first used there."""

import logging
import os
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final, Generic, Protocol, TypeVar

_FORK_SECONDS: Final = 0.5
"""How long a fork may wait for each of the three exports that may be under way."""

_LOG: Final = logging.getLogger("infersight")


class Closable(Protocol):
    """What an exporter has at least."""

    def shutdown(self) -> None:
        """Stop."""


E = TypeVar("E", bound=Closable)


class PerProcess(Generic[E]):
    """The exporter of this process, built at its first use.

    A process forks between its exports, not in the middle of one: gRPC leaves a child unusable that was forked while
    another thread was inside of it.

    Args:
        build: makes an exporter.
    """

    def __init__(self, build: Callable[[], E]) -> None:
        self._build = build
        self._exporter: E | None = None
        self._failed = False
        self._warned = False
        self._forget()
        os.register_at_fork(before=self._pause, after_in_parent=self._resume, after_in_child=self._forget)

    @contextmanager
    def in_use(self) -> Generator[E | None]:
        """The exporter for one export; None (with one warning in each process) where it cannot be built."""
        with self._idle:
            yield self._get()

    def shutdown(self) -> None:
        """Stop the exporter, also in the middle of a retry."""
        with self._lock:
            exporter = self._exporter
        if exporter is not None:
            exporter.shutdown()

    def renew(self) -> None:
        """Stop the exporter; the next use builds another, or tries again to."""
        self.shutdown()
        with self._lock:
            self._exporter = None
            self._failed = False

    def _get(self) -> E | None:
        with self._lock:
            if self._exporter is None and not self._failed:
                try:
                    self._exporter = self._build()
                except Exception as error:  # noqa: BLE001 - whatever is wrong with the environment is said and survived
                    self._failed = True
                    if not self._warned:
                        _LOG.warning("telemetry is not exported: %s", error)
                    self._warned = True
            return self._exporter

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._idle = threading.Lock()
        self._forking = threading.local()  # several threads may fork at once
        self._exporter = None
        self._failed = self._warned = False

    def _pause(self) -> None:
        # Whoever forks does not wait for a collector that is away.
        self._forking.holds = self._idle.acquire(timeout=_FORK_SECONDS)

    def _resume(self) -> None:
        if self._forking.holds:
            self._idle.release()
