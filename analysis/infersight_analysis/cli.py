"""The `infersight` command: verbs are loaded when they are called, so that it starts fast and small."""

import sys
import warnings
from collections.abc import Sequence
from typing import Final, NoReturn

import click

from infersight_analysis.commands import Verb, Verbs
from infersight_analysis.errors import AnalysisError
from infersight_collector.store.errors import StoreError

OK: Final = 0
WRONG_USE: Final = 2
INTERRUPTED: Final = 130  # 128 + SIGINT, as shells say it

VERBS: Final = {
    "demo": Verb(
        "infersight_analysis.demo.cli", "demo_command", "all", "Run a server with real faults, and explain them."
    ),
    "doctor": Verb("infersight.doctor", "doctor_command", "all", "Say what is configured, and whether it arrives."),
    "run": Verb("infersight.cli", "run_command", "fastapi", "Run a server with its telemetry on."),
    "collector": Verb(
        "infersight_collector.cli", "collector_command", "collector", "Take OTLP and keep it in a store."
    ),
    "import": Verb("infersight_collector.cli", "import_command", "collector", "Put OTLP files into a store."),
    "sql": Verb("infersight_analysis.verbs.sql", "sql_command", "analysis", "Ask the store in SQL."),
    "store": Verb("infersight_analysis.verbs.store", "store_command", "analysis", "Look after the store."),
    "slow": Verb(
        "infersight_analysis.verbs.slow", "slow_command", "analysis", "The slow requests, what their time went to."
    ),
    "investigate": Verb(
        "infersight_analysis.verbs.investigate", "investigate_command", "analysis", "Why one request was slow."
    ),
    "compare": Verb(
        "infersight_analysis.verbs.compare", "compare_command", "analysis", "What distinguishes two groups of requests."
    ),
    "critical-path": Verb(
        "infersight_analysis.verbs.critical_path",
        "critical_path_command",
        "analysis",
        "Where the time of many requests went, by call path.",
    ),
    "trace-diff": Verb(
        "infersight_analysis.verbs.trace_diff", "trace_diff_command", "analysis", "What two requests did differently."
    ),
    "queries": Verb(
        "infersight_analysis.verbs.queries",
        "queries_command",
        "analysis",
        "What requests ask of databases.",
    ),
    "anomalies": Verb(
        "infersight_analysis.verbs.anomalies",
        "anomalies_command",
        "analysis",
        "What is unusual in every metric and route, and since when.",
    ),
    "errors": Verb("infersight_analysis.verbs.errors", "errors_command", "analysis", "What broke, grouped."),
    "rootcause": Verb(
        "infersight_analysis.verbs.rootcause", "rootcause_command", "analysis", "Where an incident began."
    ),
    "anomaly": Verb(
        "infersight_analysis.verbs.anomaly", "anomaly_command", "analysis", "What happened when a metric was unusual."
    ),
    "bursts": Verb(
        "infersight_analysis.verbs.bursts", "bursts_command", "analysis", "When errors came in bursts, and together."
    ),
    "incident": Verb(
        "infersight_analysis.verbs.incident",
        "incident_command",
        "analysis",
        "Take an incident from the alarm to its prevention.",
    ),
    "profile": Verb(
        "infersight_analysis.verbs.profile",
        "profile_command",
        "analysis",
        "What a process's code, memory and model do, joined to its traces.",
    ),
    "postmortem": Verb(
        "infersight_analysis.verbs.postmortem", "postmortem_command", "analysis", "Learn from an incident."
    ),
    "deployments": Verb(
        "infersight_analysis.verbs.deployments", "deployments_command", "analysis", "Which versions ran when."
    ),
    "model": Verb(
        "infersight_analysis.verbs.model", "model_command", "analysis", "Whether a model is wrong, on what, since when."
    ),
    "abtest": Verb(
        "infersight_analysis.verbs.abtest", "abtest_command", "analysis", "Whether an A/B test's difference is real."
    ),
    "rollback": Verb(
        "infersight_analysis.verbs.rollback", "rollback_command", "analysis", "Whether a release is safe; the way back."
    ),
}


@click.group(cls=Verbs, verbs=VERBS, name="infersight", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="infersight", message="infersight %(version)s")
def root() -> None:
    """Flight recorder and forensics bench for Python model servers.

    Verbs exit with 0 when done, 1 for a finding that a script must see, 2 for wrong use or unreadable input, 3 when
    more data is needed.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit.

    Args:
        arguments: without the program's name; those of the process by default.
    """
    warnings.formatwarning = _one_line
    sys.exit(run(arguments))


def _one_line(
    message: Warning | str,
    category: type[Warning],  # noqa: ARG001 - the interface of `warnings`
    filename: str,  # noqa: ARG001
    lineno: int,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> str:
    return f"{message}\n"


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; an error is one line on stderr.

    Returns:
        The exit code.
    """
    try:
        outcome = root.main(args=arguments, prog_name="infersight", standalone_mode=False)
    except click.Abort:
        return INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return WRONG_USE
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "infersight"
        return _fail(f"{error.format_message()} (see {path} --help)")
    except click.ClickException as error:
        return _fail(error.format_message())
    except (AnalysisError, StoreError) as error:
        return _fail(str(error), error.detail if isinstance(error, AnalysisError) else "")
    return outcome if isinstance(outcome, int) else OK


def _fail(message: str, detail: str = "") -> int:
    click.echo(" ".join(message.split()), err=True)
    if detail and sys.stderr.isatty():
        click.echo(detail, err=True)
    return WRONG_USE
