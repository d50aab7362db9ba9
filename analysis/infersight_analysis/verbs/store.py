"""`infersight store`: what is in a store, and what to do with its files."""

from typing import Final

import click

from infersight_analysis.commands import Verb, Verbs

STORE_VERBS: Final = {
    "info": Verb(
        "infersight_analysis.verbs.store_info", "info_command", "analysis", "Say what is in the store, at once."
    ),
    "export": Verb(
        "infersight_analysis.verbs.store_export", "export_command", "analysis,collector", "Write rows of it for others."
    ),
    "snapshot": Verb(
        "infersight_analysis.verbs.store_snapshot", "snapshot_command", "analysis", "Copy it, as evidence."
    ),
    "compact": Verb(
        "infersight_analysis.verbs.store_upkeep", "compact_command", "analysis", "Merge all small files now."
    ),
    "retain": Verb(
        "infersight_analysis.verbs.store_upkeep", "retain_command", "analysis", "Drop what is too old, or too much."
    ),
    "pin": Verb(
        "infersight_analysis.verbs.store_pin", "pin_command", "analysis", "Keep evidence whatever retention drops."
    ),
    "verify": Verb(
        "infersight_analysis.verbs.store_upkeep", "verify_command", "analysis", "Check every file for damage."
    ),
    "migrate": Verb(
        "infersight_analysis.verbs.store_upkeep", "migrate_command", "analysis", "Finish an upgrade of the store now."
    ),
}
"""The commands of the group."""


@click.group(cls=Verbs, verbs=STORE_VERBS, name="store")
def store_command() -> None:
    """Look after the store: what is in it, copies of it, its files."""
