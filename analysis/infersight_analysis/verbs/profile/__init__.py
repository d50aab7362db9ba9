"""`infersight profile`: what a process's code, memory and model do, joined to its traces; loaded when called."""

from typing import Final

import click

from infersight_analysis.commands import Verb, Verbs

_ROOM: Final = "infersight_analysis.verbs.profile"

PROFILE_VERBS: Final[dict[str, Verb]] = {
    "cpu": Verb(f"{_ROOM}.cpu", "cpu_command", "profile", "What the code of a process does, by py-spy."),
    "memory": Verb(f"{_ROOM}.memory", "memory_command", "profile", "Who allocates its memory, by memray."),
    "model": Verb(
        f"{_ROOM}.model", "model_command", "torch", "Which operators a model spends its time in, by PyTorch."
    ),
    "list": Verb(f"{_ROOM}.looking", "list_command", "analysis", "The profiles of a store."),
    "show": Verb(f"{_ROOM}.looking", "show_command", "analysis", "One profile."),
    "diff": Verb(f"{_ROOM}.looking", "diff_command", "analysis", "What changed between two profiles."),
}
"""The commands of the group."""


@click.group(cls=Verbs, verbs=PROFILE_VERBS, name="profile")
def profile_command() -> None:
    """Profile processes and models, keep the profiles in the store, and find the traces that ran meanwhile."""
