"""`infersight incident`: from the alarm to the lesson, in an order that cannot be skipped unseen."""

from typing import Final

import click

from infersight_analysis.commands import Verb, Verbs

_ROOM: Final = "infersight_analysis.verbs.incident"

INCIDENT_VERBS: Final = {
    "open": Verb(f"{_ROOM}.opening", "open_command", "analysis", "Begin one."),
    "triage": Verb(f"{_ROOM}.triage", "triage_command", "analysis", "Look at everything, and begin one with it."),
    "symptom": Verb(f"{_ROOM}.observing", "symptom_command", "analysis", "What was noticed."),
    "evidence": Verb(f"{_ROOM}.observing", "evidence_command", "analysis", "What was found."),
    "reproduce": Verb(f"{_ROOM}.reproducing", "reproduce_command", "analysis", "See the failure, and how often."),
    "hypothesis": Verb(f"{_ROOM}.explaining", "hypothesis_command", "analysis", "What may have caused it."),
    "cause": Verb(f"{_ROOM}.explaining", "cause_command", "analysis", "What caused it."),
    "fix": Verb(f"{_ROOM}.mending", "fix_command", "analysis", "What was changed."),
    "verify": Verb(f"{_ROOM}.reproducing", "verify_command", "analysis", "Whether the fix holds."),
    "prevent": Verb(f"{_ROOM}.mending", "prevent_command", "analysis", "What keeps it from coming back."),
    "note": Verb(f"{_ROOM}.mending", "note_command", "analysis", "Write something down."),
    "close": Verb(f"{_ROOM}.mending", "close_command", "analysis", "End one, proven fixed."),
    "reopen": Verb(f"{_ROOM}.mending", "reopen_command", "analysis", "It came back."),
    "status": Verb(f"{_ROOM}.looking", "status_command", "analysis", "Where one stands, and what is next."),
    "list": Verb(f"{_ROOM}.looking", "list_command", "analysis", "All of the store."),
    "show": Verb(f"{_ROOM}.looking", "show_command", "analysis", "All that is recorded of one."),
    "export": Verb(f"{_ROOM}.looking", "export_command", "analysis", "One with its evidence, in a file."),
}
"""The commands of the group."""


@click.group(cls=Verbs, verbs=INCIDENT_VERBS, name="incident")
def incident_command() -> None:
    """Take an incident from the alarm to its prevention: evidence first, cause before fix, proof before closing.

    A step that comes too early is refused with the reason and the command that is next; it exits with 1. --override
    "WHY" takes it anyway, which is recorded and shown in every report.
    """
