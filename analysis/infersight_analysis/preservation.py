"""Copies of a store as evidence: sealed, checked, and with the digest of every file."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from infersight_analysis.destination import created
from infersight_analysis.options import Window
from infersight_analysis.report.output import short_size
from infersight_analysis.times import iso_time
from infersight_collector.store.duplicate import Duplicate, Manifest
from infersight_collector.store.snapshot import Snapshot
from infersight_collector.store.verify import Verification


@dataclass(frozen=True, slots=True)
class Copy:
    """What was copied.

    Args:
        rows: by table.
        size: bytes of the Parquet files and the profiles.
        profiles: their number.
        problems: a line for each file that was damaged before it was copied.
    """

    rows: dict[str, int]
    size: int
    profiles: int
    problems: list[str]


def preserve(store: Path, destination: Path, window: Window, told: Callable[[str], None]) -> Copy:
    """Make a self-contained copy of a store, see `store.duplicate`; it is there whole or not at all.

    Args:
        store: directory of the store.
        destination: an absent or empty directory.
        window: which files to take: those with rows of that time, whole.
        told: hears how far it is, in a few words; nothing at the end.

    Raises:
        AnalysisError: the copy cannot be written, or there is something at its place.
        StoreError: the store cannot be read.
    """
    snapshot = Snapshot.of(store)
    with created(destination) as draft:
        draft.mkdir(mode=0o700)
        duplicate = Duplicate(snapshot, draft, start_ns=window.start_ns, end_ns=window.end_ns)
        done = 0
        for size in duplicate.run():
            done += size
            told(f"{short_size(done)} of {short_size(duplicate.total)}")
        told("checking")
        found = [finding for checked in Verification(draft).run() for finding in checked.findings]
        duplicate.seal(_manifest(store, snapshot, window, duplicate))
        told("")
    problems = [f"{destination / finding.path.relative_to(draft)}: {finding.problem}" for finding in found]
    return Copy(duplicate.rows, duplicate.total, duplicate.profiles, problems)


def _manifest(store: Path, snapshot: Snapshot, window: Window, duplicate: Duplicate) -> Manifest:
    return Manifest(
        source=str(store.resolve()),
        created=iso_time(time.time_ns()),
        start=None if window.start_ns is None else iso_time(window.start_ns),
        end=None if window.end_ns is None else iso_time(window.end_ns),
        release=version("infersight"),
        versions=snapshot.version,
        rows=duplicate.rows,
        profiles=duplicate.profiles,
    )
