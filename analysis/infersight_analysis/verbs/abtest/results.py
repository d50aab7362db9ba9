"""`infersight abtest results`: what an experiment says."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from infersight_analysis import options
from infersight_analysis.errors import AnalysisError
from infersight_analysis.experiments.experiment import observed
from infersight_analysis.experiments.metrics import Metric
from infersight_analysis.experiments.question import Question
from infersight_analysis.experiments.results import results_of
from infersight_analysis.experiments.verdict import DISTRUST
from infersight_analysis.experiments.verdict import NEED_MORE_DATA as MORE
from infersight_analysis.findings import ExperimentResults
from infersight_analysis.report.abtest import print_results
from infersight_analysis.report.html.abtest import results_page
from infersight_analysis.report.output import publish_finding
from infersight_analysis.verbs.abtest.experiment import Asked, experiment

__all__ = ["Metric", "Question", "results", "results_command"]

NOT_TO_BE_SHIPPED: Final = 1
NEED_MORE_DATA: Final = 3


def results(source: Any, question: Question) -> ExperimentResults:
    """What an experiment says, and whether that can be trusted.

    Args:
        source: a connection from `connect`; or a table: a path, an Arrow table, a data frame, columns, rows.
        question: the experiment; its first metric decides.

    Raises:
        AnalysisError: it is not there, or not an experiment.
    """
    if not question.metrics or question.metrics[0].is_guardrail:
        raise AnalysisError("say what is measured: --metric VALUE, the first one decides")
    return results_of(observed(source, question), question)


@click.command(name="results")
@experiment
@click.option("--confidence", default=0.95, show_default=True, type=click.FloatRange(0.5, 0.9999), help="Of intervals.")
@click.option("--power", default=0.8, show_default=True, type=click.FloatRange(0.5, 0.999), help="For what is missing.")
@click.option("--once", is_flag=True, help="Decide by the figures of a fixed horizon, right for one look at its end.")
@options.report("table", "json", "html")
def results_command(
    *, asked: Asked, confidence: float, power: float, once: bool, form: str, output: Path | None
) -> int:
    """What an experiment says: ship an arm, keep the baseline, no difference that matters, wait, or do not trust it.

    Figures are right at every look, so a test may be looked at, and ended, at any time. VARIANT is the key of a feature
    flag, an attribute or column of spans, or a column of the file. A metric is a VALUE with words behind commas:
    errors, duration, accuracy, confidence, label=CLASS, or an attribute or column; rate, mean, median, p95, any;
    VALUE/DIVISOR is a ratio.

    Exit code 1 when the test is not to be trusted or a guardrail is broken, 3 when more data is needed.

    \b
    infersight abtest results new-ranker --metric errors,matters=1pp --guardrail duration,p95,matters=10%
    infersight abtest results variant --data test.csv --unit user --metric converted,matters=5%
    """  # noqa: D301 - click's mark for lines that stay lines
    question = replace(asked.question, confidence=confidence, power=power, is_fixed=once)
    with asked.source() as source:
        found = results(source, question)
    publish_finding(form, output, found, print_results, results_page)
    if found.verdict == DISTRUST or found.is_guardrail_broken:
        return NOT_TO_BE_SHIPPED
    return NEED_MORE_DATA if found.verdict == MORE else 0
