"""What the verbs that take a profile do with it."""

import sys
from pathlib import Path
from typing import Final

import click

from infersight_analysis.profiles import records
from infersight_analysis.profiles.processes import Process
from infersight_analysis.profiles.recorded import Recorded
from infersight_analysis.profiles.showing import shown
from infersight_analysis.profiles.traces import source_of
from infersight_analysis.report.output import print_json
from infersight_analysis.report.profiles import print_profile

NEED_MORE_DATA: Final = 3


def keep(store: Path, process: Process, recorded: Recorded, form: str) -> int:
    """Put a profile into the store and print it; the exit code.

    Args:
        store: directory of the store.
        process: whose profile it is.
        recorded: what was taken.
        form: `table` or `json`.

    Raises:
        AnalysisError: it cannot be written.
    """
    if not recorded.stacks:
        click.echo(_EMPTY[recorded.kind], err=True)
        return NEED_MORE_DATA
    profile = records.keep(store, process, recorded, source_of(store, process, recorded.end_ns))
    found = shown(store, profile, recorded.stacks)
    if form == "json":
        print_json(found)
    else:
        print_profile(found)
    return 0


_EMPTY: Final = {
    "cpu": "none of its threads ran meanwhile, so there is no profile: profile it under load, or for longer",
    "memory": "it allocated nothing meanwhile, so there is no profile: profile it under load, or for longer",
    "model": "no operator of PyTorch ran, so there is no profile",
}


def announce(text: str) -> None:
    """Tell a person what is going on; a script does not want to know."""
    if sys.stderr.isatty():
        click.echo(text, err=True)
