"""`infersight incident reproduce` and `verify`: whether the failure can be seen, and whether it is gone."""

import click

from infersight_analysis import options
from infersight_analysis.errors import AnalysisError
from infersight_analysis.incidents import state as kinds
from infersight_analysis.incidents.incident import Incident
from infersight_analysis.incidents.log import Event
from infersight_analysis.incidents.scenario import Scenario
from infersight_analysis.incidents.verification import verify
from infersight_analysis.options import Window
from infersight_analysis.verbs.incident.steps import OVERRIDE, scenario, step


@click.command(name="reproduce")
@step
@scenario(10)
def reproduce_command(*, incident: Incident, scenario: Scenario | None) -> Event:
    """Do something several times, and count how often it fails; the share has an interval.

    What is done is a command, or HTTP requests. Without a condition it fails with an exit code that is not 0, an answer
    of 5xx, or no end in time. Attempts that reach nobody do not count. Exits with 1 where no attempt fails.

    \b
    infersight incident reproduce INC-2026-001 --url http://localhost:8000/predict --attempts 100 --concurrency 100
    infersight incident reproduce INC-2026-001 --request slow.json --slower-than 500ms
    infersight incident reproduce INC-2026-001 --attempts 20 -- python load.py
    """  # noqa: D301 - click's mark for lines that stay lines
    if scenario is None:
        raise AnalysisError("say what to do: -- COMMAND, --url or --request")
    return incident.reproduce(scenario)


@click.command(name="verify")
@step
@options.SERVICE
@click.option(
    "--tolerance",
    default=20.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    metavar="PERCENT",
    help="How much longer than in the baseline requests may take.",
)
@OVERRIDE
@options.window
def verify_command(
    *, incident: Incident, service: str | None, tolerance: float, override: str | None, window: Window
) -> Event:
    """Check that the fix holds. All of this has to pass, as far as there is something to compare with.

    What was reproduced is tried again, so often that a test can tell, and no longer fails. Since the fix, or in the
    window that is given, requests fail and take no more than in the time before the incident, which is tested too, and
    no fault is new. Exits with 1 where something fails, with 3 where more data is needed.

    \b
    infersight incident verify INC-2026-001 --last 10m
    """  # noqa: D301 - click's mark for lines that stay lines
    verify(incident, window=window, service=service, tolerance=tolerance / 100, override=override, told=_tell)
    event = incident.state.last(kinds.VERIFICATION)
    if event is None:
        raise AnalysisError("the verification was not recorded")
    return event


def _tell(doing: str) -> None:
    click.echo(doing, err=True)
