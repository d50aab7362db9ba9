"""`infersight store snapshot`: a copy of a store for evidence."""

import sys
from pathlib import Path

import click

from infersight_analysis import options
from infersight_analysis.inventory import take
from infersight_analysis.options import Window
from infersight_analysis.preservation import preserve
from infersight_analysis.report.output import short_size

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
    with rows of that time, whole, and the profiles of that time. It is checked as `verify` does; `sha256sum -c
    SHA256SUMS` tells later whether a file was changed, and manifest.json says what it is of.

    What waits in the write-ahead log is not in it. Exits with 1 where a file was damaged already.
    """
    waiting = take(store).waiting.segments
    copy = preserve(store, destination, window, _show)
    for problem in copy.problems:
        click.echo(problem, err=True)
    rows = sum(copy.rows.values())
    taken = f" and {copy.profiles:,} profile{'s' * (copy.profiles > 1)}" if copy.profiles else ""
    click.echo(f"{rows:,} rows{taken}, {short_size(copy.size)} in {destination}", err=True)
    if waiting:
        click.echo("a collector has not stored yet what came last; that is not in it", err=True)
    return DAMAGED if copy.problems else 0


def _show(text: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{text}", err=True, nl=False)
