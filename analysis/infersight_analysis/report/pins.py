"""The pins of a store: for the terminal and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from infersight_analysis.report.output import console
from infersight_analysis.times import iso_time
from infersight_collector.store.pins import Pin

_TO_THE_MINUTE: Final = len("2026-03-01T10:00")
_SHORT_ID: Final = 8


@dataclass(frozen=True)
class PinFacts:
    """What a pin keeps.

    Attributes:
        name: what it is called.
        reason: why it was made.
        created: when it was made, ISO 8601, as all times.
        start: first time that matters; None without bound.
        end: first time that does not.
        trace_ids: the traces whose rows stay; none stands for all rows of the time.
        tables: the tables whose rows stay; none stands for all.
        profiles: ids of profiles that stay.
    """

    name: str
    reason: str
    created: str
    start: str | None
    end: str | None
    trace_ids: Sequence[str]
    tables: Sequence[str]
    profiles: Sequence[str]

    @classmethod
    def of(cls, made: Pin) -> Self:
        """The facts of a pin."""
        start, end = (None if time_ns is None else iso_time(time_ns) for time_ns in (made.start_ns, made.end_ns))
        created = iso_time(made.created_ns)
        return cls(made.name, made.reason, created, start, end, made.trace_ids, made.tables, made.profiles)

    @property
    def keeps(self) -> str:
        """What it keeps, in a few words: `the trace 4bf92f35`, `all from 2026-03-01T10:00 on`, a profile's id."""
        rows = [self._rows] if self.trace_ids or self.start or self.end else []
        return ", ".join([*rows, *self.profiles])

    @property
    def _rows(self) -> str:
        count = len(self.trace_ids)
        what = f"the trace {self.trace_ids[0][:_SHORT_ID]}" if count == 1 else f"{count} traces" if count else "all"
        of_tables = f" of {', '.join(self.tables)}" if self.tables else ""
        time = f" from {self.start[:_TO_THE_MINUTE]}" if self.start else ""
        time += f" to {self.end[:_TO_THE_MINUTE]}" if self.end else " on" if self.start else ""
        return f"{what}{of_tables}{time}"


@dataclass(frozen=True)
class Pins:
    """All pins of a store, by name."""

    store: str
    pins: Sequence[PinFacts]


def print_pins(found: Pins) -> None:
    """Print the pins of a store."""
    if not found.pins:
        click.echo("nothing is pinned")
        return
    grid = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    grid.add_column("pin", no_wrap=True)
    for name in ("keeps", "since", "reason"):
        grid.add_column(name)
    for facts in found.pins:
        grid.add_row(*map(Text, (facts.name, facts.keeps, facts.created[:_TO_THE_MINUTE], facts.reason)))
    console().print(grid)
