"""`infersight store pin`: what no retention drops, and why."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from infersight_analysis import options
from infersight_analysis.commands import Verb, Verbs
from infersight_analysis.errors import AnalysisError
from infersight_analysis.options import Window
from infersight_analysis.profiles import records
from infersight_analysis.reading import resolve_trace
from infersight_analysis.report.output import print_json
from infersight_analysis.report.pins import PinFacts, Pins, print_pins
from infersight_analysis.session import opened
from infersight_analysis.stored import TABLES
from infersight_collector.store import directory
from infersight_collector.store.pins import pin, pins, unpin

_ID_DIGITS: Final = 32

PIN_VERBS: Final = {
    "add": Verb(__name__, "add_command", "analysis", "Keep some traces, a time, or a profile."),
    "list": Verb(__name__, "list_command", "analysis", "Say what is pinned, and why."),
    "remove": Verb(__name__, "remove_command", "analysis", "Let go what a pin keeps."),
}
"""The commands of the group."""


@click.group(cls=Verbs, verbs=PIN_VERBS, name="pin")
def pin_command() -> None:
    """Keep evidence out of all retention: the rows of some traces, all of some hours, or profiles."""


@click.command(name="add")
@click.argument("name")
@click.option("--reason", metavar="TEXT", required=True, help="Why, for people.")
@click.option("--trace", "traces", metavar="ID", multiple=True, help="Only this trace; may be given several times.")
@click.option("--profile", "profile_ids", metavar="ID", multiple=True, help="This profile; may be repeated.")
@click.option("--table", "tables", type=click.Choice(TABLES), multiple=True, help="Only this table; may be repeated.")
@options.STORE
@options.window
def add_command(
    *,
    name: str,
    reason: str,
    traces: tuple[str, ...],
    profile_ids: tuple[str, ...],
    tables: tuple[str, ...],
    store: Path,
    window: Window,
) -> None:
    """Pin the rows of some traces, or of a time, or of some traces in a time, or profiles, under NAME.

    A pinned time keeps its hours whole, with their profiles. Metrics belong to no trace: to keep them, pin a time. A
    pin of the same name is replaced. What is pinned stays until `infersight store pin remove NAME`.

    \b
    infersight store pin add incident-7 --reason "slow logins" --trace 4bf92f35 --trace 0af76519
    infersight store pin add incident-7-hour --reason "slow logins" --last 1h
    infersight store pin add incident-7-cpu --reason "slow logins" --profile last-cpu
    """  # noqa: D301 - click's mark for lines that stay lines
    directory.check(store)
    if not reason.strip():
        raise AnalysisError("give a --reason: who finds the pin later has to know whether it may go")
    made = pin(
        store,
        name,
        reason=reason,
        start_ns=window.start_ns,
        end_ns=window.end_ns,
        trace_ids=_resolved(store, traces),
        tables=tables,
        profiles=[records.find(store, each).id for each in profile_ids],
    )
    click.echo(f"pinned {PinFacts.of(made).keeps} as {made.name}", err=True)


@click.command(name="list")
@options.STORE
@options.FORMAT
def list_command(store: Path, form: str) -> None:
    """Say what is pinned in a store: by name, what it keeps, since when and why."""
    directory.check(store)
    found = Pins(str(store), [PinFacts.of(made) for made in pins(store)])
    print_json(found) if form == "json" else print_pins(found)


@click.command(name="remove")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@options.STORE
def remove_command(names: tuple[str, ...], store: Path) -> None:
    """Take pins away. What one alone kept goes with the next retention, by the rules for everything else."""
    directory.check(store)
    for name in names:
        unpin(store, name)


def _resolved(store: Path, traces: Sequence[str]) -> list[str]:
    """The ids of traces that are named by their first digits; whole ids may be of traces that are still to come."""
    if all(len(trace) == _ID_DIGITS for trace in traces):
        return list(traces)
    with opened(store) as connection:
        return [trace if len(trace) == _ID_DIGITS else resolve_trace(connection, trace) for trace in traces]
