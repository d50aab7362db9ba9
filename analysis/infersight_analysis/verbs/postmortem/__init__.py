"""`infersight postmortem`: what an incident cost, why it happened, and what follows from it."""

from typing import Final

import click

from infersight_analysis.commands import Verb, Verbs

_ROOM: Final = "infersight_analysis.verbs.postmortem"

POSTMORTEM_VERBS: Final = {
    "write": Verb(f"{_ROOM}.writing", "write_command", "analysis", "Put it together, with what the telemetry says."),
    "check": Verb(f"{_ROOM}.writing", "check_command", "analysis", "Words that blame, actions nobody can see done."),
    "actions": Verb(f"{_ROOM}.actions", "actions_command", "analysis", "Who does what until when."),
}
"""The commands of the group."""


@click.group(cls=Verbs, verbs=POSTMORTEM_VERBS, name="postmortem")
def postmortem_command() -> None:
    """Learn from an incident: a blameless report with its impact computed from telemetry, and what follows from it."""
