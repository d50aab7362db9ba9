"""What the steps of an incident have in common on the command line."""

import functools
import getpass
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from infersight_analysis import options
from infersight_analysis.incidents import state as kinds
from infersight_analysis.incidents.incident import Refused, opened_in
from infersight_analysis.incidents.log import Event
from infersight_analysis.incidents.overview import recorded
from infersight_analysis.incidents.scenario import Predicate, Request, Scenario, read_requests
from infersight_analysis.incidents.state import State, proves
from infersight_analysis.report.incidents import here, print_recorded
from infersight_analysis.report.output import print_json
from infersight_analysis.times import parse_duration

REFUSED: Final = 1
UNDECIDED: Final = 3


def _login(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str:
    if value:
        return value
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in some containers
        return "unknown"


ACTOR: Final = click.option(
    "--actor",
    envvar="INFERSIGHT_ACTOR",
    show_envvar=True,
    metavar="NAME",
    callback=_login,
    help="Who does this; the login name by default.",
)
OVERRIDE: Final = click.option(
    "--override", metavar="WHY", help="Do it although the method refuses it; recorded, and shown in every report."
)
INCIDENT: Final = click.argument("incident_id", metavar="ID")


def step(function: Callable[..., Event]) -> Callable[..., int]:
    """A command that takes a step: of the incident ID, by --actor; it prints what was recorded and what is next.

    The function gets the incident as `incident`, and gives the event. Exits with 1 where the method refuses the step,
    or what was tried did not show what was looked for, and with 3 where that needs more data.
    """

    @INCIDENT
    @ACTOR
    @options.STORE
    @options.FORMAT
    @functools.wraps(function)
    def taken(*, incident_id: str, actor: str, store: Path, form: str, **arguments: Any) -> int:
        incident = opened_in(store, incident_id, actor)
        try:
            event = function(incident=incident, **arguments)
        except Refused as refused:
            click.echo(f"{refused.reason}; next: {here(refused.command)}", err=True)
            return REFUSED
        found = recorded(incident, event)
        print_json(found) if form == "json" else print_recorded(found)
        return _code(event, incident.state)

    return taken


def _code(event: Event, state: State) -> int:
    """The exit code of a step: whether it showed what it was to show."""
    if event.kind == kinds.REPRODUCTION:
        return 0 if event.payload["reproduced"] else 1
    if event.kind == kinds.TEST:
        return {kinds.SUPPORTED: 0, kinds.REFUTED: 1}.get(event.payload["outcome"], UNDECIDED)
    if event.kind == kinds.VERIFICATION and not proves(state, event.payload["checks"]):
        outcomes = [check["outcome"] for check in event.payload["checks"]]
        return 1 if kinds.FAILED in outcomes else UNDECIDED
    return 0


def scenario(attempts: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """What to do, how often, and when it shows the failure, passed as the argument `scenario`.

    Args:
        attempts: how many by default.
    """

    def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
        @click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
        @click.option("--url", metavar="URL", help="Send a GET request there.")
        @click.option(
            "--request",
            "request",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="Send the requests of a JSON file: url, method, headers, body; one, or a list to send in turn.",
        )
        @click.option("--attempts", default=attempts, show_default=True, type=click.IntRange(1), help="How many.")
        @click.option("--concurrency", default=1, show_default=True, type=click.IntRange(1), help="How many at a time.")
        @click.option("--timeout", default="60s", show_default=True, metavar="DURATION", help="For one attempt.")
        @click.option("--exit-code", metavar="N|nonzero", help="It is so when the command exits with this.")
        @click.option("--matches", metavar="REGEX", help="It is so when this is in what is printed or answered.")
        @click.option("--status", metavar="503|5xx", help="It is so when a request is answered with this status.")
        @click.option("--slower-than", metavar="DURATION", help="It is so when it takes longer.")
        @functools.wraps(function)
        def with_scenario(**arguments: Any) -> Any:
            return function(scenario=_scenario(arguments), **arguments)

        return with_scenario

    return decorated


def _scenario(arguments: dict[str, Any]) -> Scenario | None:
    """The scenario that the options name, which are taken out of the arguments; None where they name nothing to do."""
    names = ("command", "url", "request", "attempts", "concurrency", "timeout")
    command, url, file, attempts, concurrency, timeout = (arguments.pop(name) for name in names)
    conditions = [arguments.pop(name) for name in ("exit_code", "matches", "status", "slower_than")]
    given = [bool(each) for each in (command, url, file)]
    if sum(given) > 1:
        raise click.UsageError("give one of COMMAND, --url and --request")
    if not any(given):
        return None
    requests = read_requests(file) if file else [Request(url)] if url else []
    predicate = Predicate.of(*conditions)
    return Scenario(command, tuple(requests), predicate, attempts, concurrency, parse_duration(timeout))
