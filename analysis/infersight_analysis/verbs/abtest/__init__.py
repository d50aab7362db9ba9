"""`infersight abtest`: how large a test has to be, whether it can be trusted, and what it says."""

from typing import Final

import click

from infersight_analysis.commands import Verb, Verbs

_ROOM: Final = "infersight_analysis.verbs.abtest"

ABTEST_VERBS: Final = {
    "design": Verb(f"{_ROOM}.design", "design_command", "analysis", "How large, and how long, it has to be."),
    "check": Verb(f"{_ROOM}.check", "check_command", "analysis", "Whether it can be trusted."),
    "results": Verb(f"{_ROOM}.results", "results_command", "analysis", "What it says: ship, keep, or wait."),
}
"""The commands of the group."""


@click.group(cls=Verbs, verbs=ABTEST_VERBS, name="abtest")
def abtest_command() -> None:
    """A/B tests: how large one has to be, whether it can be trusted, and what it says."""
