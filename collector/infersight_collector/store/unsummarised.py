"""Which files of spans have no summaries in the table `traces`: some that version 1 of the layout wrote.

They are listed in a file of the store, in the order in which `upgrade` summarises them. The commit that brings the
summaries to the table also carries how far the list was followed, so one look at the table tells both. Whoever reads
takes the list first, then the table of spans, then that of the traces: a file that he finds in the list, and not yet
followed, has no summary in what he sees; any other one has.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

SINCE: Final = 2
"""The first version of the layout that has summaries."""

LIST: Final = "unsummarised.json"
"""The file with the list: a JSON array of paths below the directory of the table `spans`; absent where all is done."""

WRITER: Final = "summaries-of-version-1"
"""The writer whose number, in the table `traces`, tells how far the list was followed."""


def listed(store: Path) -> list[str]:
    """The whole list; empty where there is none."""
    try:
        paths: list[str] = json.loads((store / LIST).read_text())
    except FileNotFoundError:
        return []
    return paths


def followed(traces: DeltaTable | None) -> int:
    """How many files of the list are summarised in this version of the table `traces`."""
    return (traces.transaction_version(WRITER) or 0) if traces is not None else 0


def remaining(paths: Sequence[str], traces: DeltaTable | None) -> Sequence[str]:
    """The files of the list that are not summarised in this version of the table."""
    return paths[followed(traces) :]


def pending(store: Path) -> frozenset[str]:
    """The files of the list that are not summarised at the moment."""
    paths = listed(store)
    if not paths:
        return frozenset()
    try:
        return frozenset(remaining(paths, DeltaTable(str(store / "traces"))))
    except TableNotFoundError:
        return frozenset(paths)
