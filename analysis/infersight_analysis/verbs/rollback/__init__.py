"""`infersight rollback`: whether a release is safe, and the way back from one that is not."""

from typing import Final

import click

from infersight_analysis.commands import Verb, Verbs

_ROOM: Final = "infersight_analysis.verbs.rollback"

ROLLBACK_VERBS: Final = {
    "check": Verb(
        f"{_ROOM}.check", "check_command", "analysis", "Keep a candidate, roll it back, or wait for more data."
    ),
    "execute": Verb(
        f"{_ROOM}.execute",
        "execute_command",
        "analysis",
        "Evidence first, then the rollback, then proof that it helped.",
    ),
}
"""The commands of the group."""


@click.group(cls=Verbs, verbs=ROLLBACK_VERBS, name="rollback")
def rollback_command() -> None:
    """Whether a release is safe, and the way back from one that is not."""
