"""`infersight store snapshot`: a copy of a store for evidence."""

import sys
import time
from importlib.metadata import version
from pathlib import Path

import click

from infersight_analysis import options
from infersight_analysis.destination import created
from infersight_analysis.inventory import take
from infersight_analysis.options import Window
from infersight_analysis.report.output import short_size
from infersight_analysis.times import iso_time
from infersight_collector.store.duplicate import Duplicate, Manifest
from infersight_collector.store.snapshot import Snapshot
from infersight_collector.store.verify import Verification

DAMAGED = 1
"""Exit code where a file of the store was damaged before it was copied."""


@click.command(name="snapshot")
@click.argument("destination", metavar="DIR", type=click.Path(path_type=Path))
@options.STORE
@options.window
def snapshot_command(destination: Path, store: Path, window: Window) -> int:
    """Make a self-contained copy of a store in DIR, as evidence.

    The copy is a store like any other. Its files are hard links where that is possible, so that it takes no time and no
    room, and stays whole whatever is merged or dropped in the store. With --last or --start and --end it has all files
    with rows of that time, whole. It is checked as `verify` does; `sha256sum -c SHA256SUMS` tells later whether a file
    was changed, and manifest.json says what it is of.

    What waits in the write-ahead log is not in it. Exits with 1 where a file was damaged already.
    """
    snapshot = Snapshot.of(store)
    waiting = take(store).waiting.segments
    with created(destination) as draft:
        draft.mkdir(mode=0o700)
        duplicate = Duplicate(snapshot, draft, start_ns=window.start_ns, end_ns=window.end_ns)
        done = 0
        for size in duplicate.run():
            done += size
            _show(f"{short_size(done)} of {short_size(duplicate.total)}")
        _show("checking")
        problems = [finding for checked in Verification(draft).run() for finding in checked.findings]
        duplicate.seal(_manifest(store, snapshot, window, duplicate))
        _show("")
    for problem in problems:
        click.echo(f"{destination / problem.path.relative_to(draft)}: {problem.problem}", err=True)
    rows = sum(duplicate.rows.values())
    click.echo(f"{rows:,} rows, {short_size(duplicate.total)} in {destination}", err=True)
    if waiting:
        click.echo("a collector has not stored yet what came last; that is not in it", err=True)
    return DAMAGED if problems else 0


def _manifest(store: Path, snapshot: Snapshot, window: Window, duplicate: Duplicate) -> Manifest:
    return Manifest(
        source=str(store.resolve()),
        created=iso_time(time.time_ns()),
        start=None if window.start_ns is None else iso_time(window.start_ns),
        end=None if window.end_ns is None else iso_time(window.end_ns),
        release=version("infersight"),
        versions=snapshot.version,
        rows=duplicate.rows,
    )


def _show(text: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{text}", err=True, nl=False)
