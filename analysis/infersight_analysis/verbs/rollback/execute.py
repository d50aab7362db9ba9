"""`infersight rollback execute`: evidence first, then the rollback, then proof that it helped."""

from pathlib import Path
from typing import Any, Final

import click

from infersight_analysis import options
from infersight_analysis.options import Window
from infersight_analysis.releases.execution.docker import SwarmService
from infersight_analysis.releases.execution.execution import execute
from infersight_analysis.releases.execution.kubernetes import KubernetesDeployment
from infersight_analysis.releases.execution.order import Order
from infersight_analysis.releases.execution.own_command import OwnCommand
from infersight_analysis.releases.execution.planning import plan
from infersight_analysis.releases.execution.targets import Target
from infersight_analysis.report.html.rollbacks import rollback_page
from infersight_analysis.report.output import publish_finding
from infersight_analysis.report.rollbacks import print_rollback
from infersight_analysis.times import SECOND_NS, parse_duration
from infersight_analysis.verbs.incident.steps import ACTOR
from infersight_analysis.verbs.rollback.release import release

EXIT_CODES: Final = {
    "planned": 0,
    "verified": 0,
    "not returned": 1,
    "failed": 1,
    "too little data": 3,
    "interrupted": 130,
}

_OPTIONS_OF: Final = {
    "kubernetes": ("name", "namespace", "context", "to_revision"),
    "docker": ("name", "image"),
    "command": ("command",),
}
"""Which options a target has of its own."""


@click.command(name="execute")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
@release
@click.option("--target", type=click.Choice(tuple(_OPTIONS_OF)), required=True, help="How it is rolled back.")
@click.option("--name", metavar="NAME", help="The deployment or Docker service; named as the service by default.")
@click.option("--namespace", metavar="NAME", help="kubernetes: where it is; that of the context by default.")
@click.option("--context", metavar="NAME", help="kubernetes: the cluster; the present context by default.")
@click.option("--to-revision", type=click.IntRange(1), metavar="N", help="kubernetes: not the one before, but this.")
@click.option("--image", metavar="IMAGE", help="docker: to this image, not to all that was before the last update.")
@click.option("--dry-run", is_flag=True, help="Say what would be done; run nothing, write nothing.")
@click.option("--override", metavar="WHY", help="Do it although the check does not say so; recorded.")
@click.option("--without-evidence", metavar="WHY", help="Do it although nothing can be preserved; recorded.")
@click.option("--incident", metavar="ID", help="Record it there; opens an incident by default.")
@click.option("--timeout", default="5m", show_default=True, metavar="DURATION", help="For the rollout.")
@click.option(
    "--verify-within", default="10m", show_default=True, metavar="DURATION", help="To see enough requests after it."
)
@ACTOR
@options.STORE
@options.report("table", "json", "html")
@options.window
def execute_command(
    *,
    service: str,
    dry_run: bool,
    timeout: str,
    verify_within: str,
    store: Path,
    form: str,
    output: Path | None,
    window: Window,
    **rest: Any,
) -> int:
    """Roll back: evidence first, then the rollback, then proof that it helped.

    Asks what runs, tries the rollback without changing anything, and takes the verdict of `infersight rollback check`.
    Then it keeps a sealed copy of the telemetry, rolls back, waits for the rollout, and compares what is recorded since
    with what was before. All of it goes into an incident. Where the check does not say to roll back, or the evidence
    cannot be kept, nothing is changed, unless you say why it is to be.

    Exit code 0: rolled back, and as before. 1: it failed, or did not help. 2: nothing was changed. 3: rolled back, and
    too few requests since then to say more.

    \b
    infersight rollback execute --service sentiment --baseline 1.8.0 --candidate 1.9.0 --target kubernetes \\
        --namespace prod --dry-run
    infersight rollback execute --service sentiment --baseline 1.8.0 --candidate 1.9.0 --target command \\
        -- helm rollback sentiment --wait
    """  # noqa: D301 - click's mark for lines that stay lines
    target = _target(service, rest.pop("target"), {name: rest.pop(name) for name in _all_options()})
    order = Order(
        service=service,
        target=target,
        window=window,
        timeout_s=parse_duration(timeout) / SECOND_NS,
        patience_s=parse_duration(verify_within) / SECOND_NS,
        **rest,
    )
    found = (plan if dry_run else execute)(store, order, lambda text: click.echo(text, err=True))
    publish_finding(form, output, found, print_rollback, rollback_page)
    return EXIT_CODES[found.outcome]


def _all_options() -> set[str]:
    return {name for names in _OPTIONS_OF.values() for name in names}


def _target(service: str, kind: str, given: dict[str, Any]) -> Target:
    """What is rolled back.

    Raises:
        click.UsageError: an option is of another target.
        AnalysisError: a name is none.
    """
    for name, value in given.items():
        if value and name not in _OPTIONS_OF[kind]:
            option = "a command after --" if name == "command" else f"--{name.replace('_', '-')}"
            raise click.UsageError(f"{option} is not for --target {kind}")
    name = given["name"] or service
    if kind == "kubernetes":
        return KubernetesDeployment(name, given["namespace"], given["context"], given["to_revision"])
    if kind == "docker":
        return SwarmService(name, given["image"])
    return OwnCommand(given["command"])
