"""`infersight model fairness`: whether a model treats groups alike."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
import duckdb

from infersight_analysis import options
from infersight_analysis.errors import AnalysisError
from infersight_analysis.fairness.fairness import Question, fairness_of
from infersight_analysis.findings import Fairness
from infersight_analysis.quality.reading import Chosen, stored_predictions
from infersight_analysis.quality.tables import predictions_of
from infersight_analysis.report.fairness import print_fairness
from infersight_analysis.report.html.fairness import fairness_page
from infersight_analysis.report.output import publish_finding
from infersight_analysis.tabular import Tabular
from infersight_analysis.verbs.model.predictions import Asked, predictions

NEED_MORE_DATA: Final = 3


def fairness(
    source: duckdb.DuckDBPyConnection | Tabular,
    question: Question,
    *,
    chosen: Chosen = Chosen(),  # noqa: B008 - immutable
) -> Fairness:
    """Compare error rates and positive rates of groups of predictions.

    Args:
        source: a connection from `connect`, or a table: a file, a data frame, rows; with the columns `label` and
            `label_true`.
        question: what tells groups apart, and how they are compared.
        chosen: which predictions of a store.

    Raises:
        AnalysisError: there is no such attribute, group or label.
    """
    if isinstance(source, duckdb.DuckDBPyConnection):
        return fairness_of(stored_predictions(source, chosen), question)
    return fairness_of(predictions_of(source), question)


@click.command(name="fairness")
@click.option("--by", metavar="NAME", required=True, help="The attribute or column that tells groups apart.")
@click.option("--positive", metavar="LABEL", help="The label that counts as yes; only error rates without it.")
@click.option("--reference", metavar="GROUP", help="The group that others are compared with; the largest without it.")
@click.option("--cuts", metavar="NUMBERS", help="Where ranges of a number begin, as in 30,50.")
@click.option("--least", default=30, show_default=True, type=click.IntRange(1), help="No rate is given of fewer.")
@click.option(
    "--margin",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="A difference that is smaller does not matter.",
)
@predictions
@options.report("table", "json", "html")
def fairness_command(
    *,
    by: str,
    positive: str | None,
    reference: str | None,
    cuts: str | None,
    least: int,
    margin: float,
    asked: Asked,
    form: str,
    output: Path | None,
) -> int:
    """Whether a model errs, and says yes, as often for one group as for another.

    Groups are told apart by an attribute of the predictions or of their requests, or by a column of a file with the
    columns `label` and `label_true`. Each group is compared with the reference group: error rate, positive rate, true
    and false positive rate, with intervals, and tests that allow for their number (Holm).

    Exit code 1 when a group differs, 3 when no two groups are large enough to be compared.

    \b
    infersight model fairness --by user.country --positive approved --last 7d
    infersight model fairness --file decisions.csv --by sex --positive yes --reference men
    infersight model fairness --file decisions.csv --by age --cuts 30,50 --positive yes --margin 0.02
    """  # noqa: D301 - click's mark for lines that stay lines
    found = fairness_of(asked.read(), Question(by, positive, reference, _cuts(cuts), least, margin))
    publish_finding(form, output, found, print_fairness, fairness_page)
    if any(rate.verdict == "differs" for rate in found.rates):
        return 1
    if found.tests:
        return 0
    click.echo(found.statement, err=True)
    return NEED_MORE_DATA


def _cuts(text: str | None) -> Sequence[float]:
    try:
        return () if text is None else [float(part) for part in text.split(",")]
    except ValueError:
        raise AnalysisError(f"--cuts {text!r} are no numbers such as 30,50") from None
