"""`infersight abtest check`: whether an experiment can be trusted."""

from pathlib import Path
from typing import Any, Final

import click

from infersight_analysis import options
from infersight_analysis.experiments.experiment import observed
from infersight_analysis.experiments.metrics import Metric
from infersight_analysis.experiments.question import Question
from infersight_analysis.experiments.results import checks_of
from infersight_analysis.findings import ExperimentChecks
from infersight_analysis.report.abtest import print_checks
from infersight_analysis.report.html.abtest import checks_page
from infersight_analysis.report.output import publish_finding
from infersight_analysis.verbs.abtest.experiment import Asked, experiment

__all__ = ["Metric", "Question", "check", "check_command"]

NOT_TO_BE_TRUSTED: Final = 1


def check(source: Any, question: Question) -> ExperimentChecks:
    """Whether an experiment can be trusted, without a look at what it says.

    Args:
        source: a connection from `connect`; or a table: a path, an Arrow table, a data frame, columns, rows.
        question: the experiment; metrics are checked for what is missing or constant.

    Raises:
        AnalysisError: it is not there, or not an experiment.
    """
    return checks_of(observed(source, question), question)


@click.command(name="check")
@experiment
@options.report("table", "json", "html")
def check_command(*, asked: Asked, form: str, output: Path | None) -> int:
    """Whether an experiment can be trusted: the sample ratio, assignments that change, arms of different mixtures.

    VARIANT is the key of a feature flag, an attribute or column of spans, or a column of the file. Exit code 1 when a
    check fails.

    \b
    infersight abtest check new-ranker --last 7d
    infersight abtest check variant --data test.csv --unit user --time at
    """  # noqa: D301 - click's mark for lines that stay lines
    with asked.source() as source:
        found = check(source, asked.question)
    publish_finding(form, output, found, print_checks, checks_page)
    return 0 if found.can_be_trusted else NOT_TO_BE_TRUSTED
