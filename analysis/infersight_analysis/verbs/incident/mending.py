"""`infersight incident fix`, `prevent`, `note`, `close` and `reopen`."""

from typing import Final

import click

from infersight_analysis.commands import Verb, Verbs
from infersight_analysis.incidents.incident import PREVENTIONS, Incident
from infersight_analysis.incidents.log import Event
from infersight_analysis.verbs.incident.steps import OVERRIDE, step

FIX_VERBS: Final = {"record": Verb(__name__, "record_command", "analysis", "Record what was changed.")}
PREVENT_VERBS: Final = {"add": Verb(__name__, "add_command", "analysis", "Record what keeps it from coming back.")}


@click.group(cls=Verbs, verbs=FIX_VERBS, name="fix")
def fix_command() -> None:
    """What was changed to remove the cause."""


@click.group(cls=Verbs, verbs=PREVENT_VERBS, name="prevent")
def prevent_command() -> None:
    """What keeps it from coming back."""


@click.command(name="record")
@step
@click.argument("description")
@click.option("--change", metavar="REF", help="Where it can be seen: a commit, a pull request, a setting.")
@OVERRIDE
def record_command(*, incident: Incident, description: str, change: str | None, override: str | None) -> Event:
    """Record what was changed to remove the cause, which has to be known.

    \b
    infersight incident fix record INC-2026-001 "a pool of 50 connections" --change 4f2a91c
    """  # noqa: D301 - click's mark for lines that stay lines
    return incident.record_fix(description, change, override=override)


@click.command(name="add")
@step
@click.argument("kind", metavar="KIND", type=click.Choice(PREVENTIONS))
@click.argument("description")
@click.option("--reference", metavar="REF", help="Where it is: a rule, a test, a page.")
@OVERRIDE
def add_command(
    *, incident: Incident, kind: str, description: str, reference: str | None, override: str | None
) -> Event:
    """Record what keeps it from coming back. KIND is monitor, test, validation or documentation.

    \b
    infersight incident prevent add INC-2026-001 monitor "an alarm when 80 % of the pool is taken"
    """  # noqa: D301 - click's mark for lines that stay lines
    return incident.add_prevention(kind, description, reference, override=override)


@click.command(name="note")
@step
@click.argument("text")
@click.option(
    "--about",
    type=click.Choice(("well", "wrong", "factor", "follow-up")),
    help="What went well, went wrong, or contributed, for the post-mortem; or what a look back found.",
)
def note_command(*, incident: Incident, text: str, about: str | None) -> Event:
    """Write something down, for the timeline and the post-mortem.

    \b
    infersight incident note INC-2026-001 "the alarm came two minutes after the first failure" --about well
    """  # noqa: D301 - click's mark for lines that stay lines
    return incident.note(text, about)


@click.command(name="close")
@step
@OVERRIDE
def close_command(*, incident: Incident, override: str | None) -> Event:
    """End an incident whose fix is verified; of HIGH and CRITICAL ones with a prevention and a post-mortem.

    \b
    infersight incident close INC-2026-001
    """  # noqa: D301 - click's mark for lines that stay lines
    return incident.close(override=override)


@click.command(name="reopen")
@step
@click.option("--reason", required=True, metavar="TEXT", help="What came back.")
def reopen_command(*, incident: Incident, reason: str) -> Event:
    """Open an incident again: another fix is needed, and its verification.

    \b
    infersight incident reopen INC-2026-001 --reason "it failed again at noon"
    """  # noqa: D301 - click's mark for lines that stay lines
    return incident.reopen(reason)
