"""`infersight incident hypothesis` and `cause`: what may have brought it about, and what did."""

from typing import Final

import click

from infersight_analysis.commands import Verb, Verbs
from infersight_analysis.errors import AnalysisError
from infersight_analysis.incidents import state as kinds
from infersight_analysis.incidents import trial
from infersight_analysis.incidents.incident import Incident
from infersight_analysis.incidents.log import Event
from infersight_analysis.incidents.scenario import Scenario
from infersight_analysis.verbs.incident.steps import OVERRIDE, scenario, step

HYPOTHESIS_VERBS: Final = {
    "add": Verb(__name__, "add_command", "analysis", "Suppose a cause."),
    "test": Verb(__name__, "test_command", "analysis", "Test one."),
    "explain": Verb(__name__, "explain_command", "analysis", "Say how one explains more symptoms."),
}
CAUSE_VERBS: Final = {"set": Verb(__name__, "set_command", "analysis", "Say what the cause is.")}


@click.group(cls=Verbs, verbs=HYPOTHESIS_VERBS, name="hypothesis")
def hypothesis_command() -> None:
    """What may have brought the symptoms about, and what tests say of it."""


@click.group(cls=Verbs, verbs=CAUSE_VERBS, name="cause")
def cause_command() -> None:
    """What brought the symptoms about."""


@click.command(name="add")
@step
@click.argument("statement")
@click.option("--refuted-by", required=True, metavar="TEXT", help="What would show that it is wrong.")
@click.option(
    "--explains", multiple=True, metavar="S1|all", help="A symptom that it explains, or all; may be repeated."
)
@OVERRIDE
def add_command(
    *, incident: Incident, statement: str, refuted_by: str, explains: tuple[str, ...], override: str | None
) -> Event:
    """Suppose a cause. It needs evidence, or a reproduction: without, it is a guess.

    \b
    infersight incident hypothesis add INC-2026-001 "the pool is too small for the load" --explains all --refuted-by "connections are free while requests wait"
    """  # noqa: D301, E501 - click's mark for lines that stay lines
    return incident.add_hypothesis(statement, refuted_by, explains, override=override)


@click.command(name="test")
@step
@click.argument("hypothesis", metavar="H1")
@click.option("--sql", metavar="QUERY", help="Answers one value: true, false, or null where the data does not tell.")
@click.option("--verb", metavar="COMMAND", help='A verb, as in "rootcause --last 1h", with --expect.')
@click.option(
    "--expect", metavar="SQL", help="What its finding says then, over its fields: services[1].service = 'db'."
)
@scenario(1)
def test_command(
    *,
    incident: Incident,
    hypothesis: str,
    sql: str | None,
    verb: str | None,
    expect: str | None,
    scenario: Scenario | None,
) -> Event:
    """Test a hypothesis by a query, a verb, or a command: by what must be so if it is true, and is not if it is false.

    A command, or requests, support it where each attempt is as the conditions say, and refute it where none is. What
    was answered is kept as evidence. One refutation refutes it. Exits with 0 where it is supported, 1 where it is
    refuted, 3 where the test does not decide.

    \b
    infersight incident hypothesis test INC-2026-001 H1 --sql "select count(*) > 0 from logs where body like '%pool%'"
    infersight incident hypothesis test INC-2026-001 H1 --verb "rootcause --last 1h" --expect "verdict = 'origin'"
    infersight incident hypothesis test INC-2026-001 H1 --exit-code 0 -- python load.py --pool 50
    """  # noqa: D301 - click's mark for lines that stay lines
    if hypothesis not in incident.state.hypotheses:
        raise AnalysisError(f"no hypothesis {hypothesis} in {incident.id}: `infersight incident show` lists them")
    if (verb is None) != (expect is None):
        raise AnalysisError("--verb and --expect go together: what is asked, and what is expected")
    incident.ensure(kinds.TEST)
    store = incident.log.store
    if sql is not None and verb is None and scenario is None:
        found = trial.by_sql(store, sql)
    elif verb is not None and expect is not None and sql is None and scenario is None:
        found = trial.by_verb(store, verb, expect)
    elif scenario is not None and sql is None and verb is None:
        found = trial.by_scenario(scenario)
    else:
        raise AnalysisError("give one of --sql, --verb and a command or request")
    return incident.add_test(hypothesis, *found)


@click.command(name="explain")
@step
@click.argument("hypothesis", metavar="H1")
@click.argument("symptoms", metavar="S1...", nargs=-1, required=True)
@click.option("--how", required=True, metavar="TEXT", help="How it brings them about.")
def explain_command(*, incident: Incident, hypothesis: str, symptoms: tuple[str, ...], how: str) -> Event:
    """Say how a hypothesis explains symptoms that it did not name yet.

    \b
    infersight incident hypothesis explain INC-2026-001 H1 S3 --how "callers give up while they wait for the pool"
    """  # noqa: D301 - click's mark for lines that stay lines
    return incident.explain(hypothesis, symptoms, how)


@click.command(name="set")
@step
@click.argument("statement")
@click.option("--hypothesis", metavar="H1", help="The hypothesis that was supported.")
@OVERRIDE
def set_command(*, incident: Incident, statement: str, hypothesis: str | None, override: str | None) -> Event:
    """Say what the cause is: a hypothesis that a test supported, that none refuted, and that explains every symptom.

    \b
    infersight incident cause set INC-2026-001 "ten connections for a hundred requests at a time" --hypothesis H1
    """  # noqa: D301 - click's mark for lines that stay lines
    return incident.set_cause(statement, hypothesis, override=override)
