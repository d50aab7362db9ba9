"""`infersight store`: what is in a store, and what to do with its files."""

from typing import Final

import click

from infersight_analysis.commands import Verb, Verbs

STORE_VERBS: Final = {
    "info": Verb(
        "infersight_analysis.verbs.store_info", "info_command", "analysis", "Say what is in the store, at once."
    ),
}
"""The commands of the group."""


@click.group(cls=Verbs, verbs=STORE_VERBS, name="store")
def store_command() -> None:
    """Look after the store: what is in it, copies of it, its files."""
