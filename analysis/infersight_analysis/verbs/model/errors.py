"""`infersight model errors`: what a model is wrong about, and how sure it is of that."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from infersight_analysis import options
from infersight_analysis.errors import AnalysisError
from infersight_analysis.quality.errors import SURE, UNSURE, errors
from infersight_analysis.quality.reading import file_predictions, stored_predictions
from infersight_analysis.quality.regressions import write_regressions
from infersight_analysis.quality.tables import predictions_of
from infersight_analysis.report.html.model_errors import model_errors_page
from infersight_analysis.report.model_errors import print_model_errors
from infersight_analysis.report.output import publish_finding
from infersight_analysis.verbs.model.predictions import Asked, predictions

__all__ = [
    "errors",
    "errors_command",
    "file_predictions",
    "predictions_of",
    "stored_predictions",
    "write_regressions",
]

NEED_MORE_DATA: Final = 3


@click.command(name="errors")
@predictions
@click.option(
    "--sure", default=SURE, show_default=True, type=click.FloatRange(0, 1), help="Above it the model was sure."
)
@click.option(
    "--unsure", default=UNSURE, show_default=True, type=click.FloatRange(0, 1), help="Below it the model was unsure."
)
@click.option("--limit", default=10, show_default=True, type=click.IntRange(1), help="Most slices to list of a kind.")
@click.option(
    "--write-regressions",
    "regressions",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write what was wrong as JSON lines, for `infersight model regress`.",
)
@options.report("table", "json", "html")
def errors_command(
    *,
    asked: Asked,
    sure: float,
    unsure: float,
    limit: int,
    regressions: Path | None,
    form: str,
    output: Path | None,
) -> int:
    """What a model is wrong about, and how sure it is of that.

    Of predictions whose right label is known (infersight.feedback, or a column label_true): the slices in which it is
    wrong more often, by what its inputs were like, by attributes of their requests and by pairs of these, with a
    false-discovery rate of 1 %; what it mistakes for what; whether it is right as often as it says; and inputs at
    the edge. Without labels: what it failed at, and where it is unsure.

    Exit code 3 when no label is known.

    \b
    infersight model errors --service sentiment --last 1d
    infersight model errors --file predictions.csv --output errors.html
    infersight model errors --model sentiment --write-regressions mistakes.jsonl
    """  # noqa: D301 - click's mark for lines that stay lines
    if unsure > sure:
        raise AnalysisError(f"--unsure {unsure:g} must not be above --sure {sure:g}")
    read = asked.read()
    found = errors(read, sure=sure, unsure=unsure, limit=limit)
    if regressions is not None:
        found = replace(found, written=write_regressions(read, regressions))
    publish_finding(form, output, found, print_model_errors, model_errors_page)
    if not found.wrong.of:
        click.echo(f"need more data: {found.notes[0]}", err=True)
        return NEED_MORE_DATA
    return 0
