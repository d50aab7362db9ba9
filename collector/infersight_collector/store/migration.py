"""Brings a store to the present layout at once, for a person who waits; a collector does it in the background."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from infersight_collector.store import directory, unsummarised, upgrade
from infersight_collector.store.layout import SCHEMA_VERSION
from infersight_collector.store.maintenance import alone
from infersight_collector.store.upgrade import Progress

_WAIT_S: Final = 1.0
"""Time after which to look whether a collector, which maintains the store, has done it all; in seconds."""


def migrate(path: Path, progress: Callable[[Progress], None] = lambda _progress: None) -> bool:
    """Does all that is left to do of an upgrade; may be interrupted at any moment, and repeated.

    Collectors of this release and readers go on meanwhile.

    Args:
        path: directory of the store.
        progress: told how far it is, after each step.

    Returns:
        whether there was anything to do.

    Raises:
        NotAStore: there is no store.
        StoreTooNew: a later release wrote it.
        StoreError: a collector of an earlier release still writes to it.
        StoreUnavailable: it cannot be written.
    """
    old = directory.check(path) < SCHEMA_VERSION
    upgrade.begin(path)
    if not (old or unsummarised.listed(path)):
        return False
    while unsummarised.listed(path):
        # The lock is free between two steps, so that a collector can maintain the store meanwhile.
        with alone(path, _WAIT_S) as is_alone:
            done = next(upgrade.advance(path), None) if is_alone else None
        if done is not None:
            progress(done)
    return True
