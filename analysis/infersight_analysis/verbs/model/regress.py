"""`infersight model regress`: whether the mistakes of a regression set are mended."""

from pathlib import Path
from typing import Final

import click

from infersight_analysis import options
from infersight_analysis.findings import Regression
from infersight_analysis.models.inputs import read_lines
from infersight_analysis.models.model import Model
from infersight_analysis.progress import Progress
from infersight_analysis.report.html.regression import regression_page
from infersight_analysis.report.output import publish_finding
from infersight_analysis.report.regression import print_regression
from infersight_analysis.robustness.regressions import rerun
from infersight_analysis.robustness.testing import INTERRUPTED
from infersight_analysis.verbs.model.asking import asked_model

__all__ = ["regress_command", "rerun"]

NEED_MORE_DATA: Final = 3
_OF_INTERRUPT: Final = 130  # 128 + SIGINT, as shells say it


@click.command(name="regress")
@click.argument("file", type=click.Path(path_type=Path))
@asked_model
@click.option(
    "--tolerance", type=click.FloatRange(0), metavar="NUMBER", help="How far from the right number an answer may be."
)
@options.report("table", "json", "html")
def regress_command(*, file: Path, model: Model, tolerance: float | None, form: str, output: Path | None) -> int:
    """Whether the mistakes of a regression set are mended.

    FILE has a mistake each line, as `infersight model errors --write-regressions` and `infersight model robustness
    --write-regressions` write them. MODEL is `module:callable`, or the address of an endpoint that takes and gives
    JSON. Mistakes whose input was not kept cannot be asked, and are counted apart.

    Exit code 1 while a mistake is not mended, 3 when none can be asked.

    \b
    infersight model regress mistakes.jsonl app:classify
    infersight model regress mistakes.jsonl http://127.0.0.1:8000/predict --input-at text
    """  # noqa: D301 - click's mark for lines that stay lines
    lines = list(read_lines(file))
    progress = Progress(total=len(lines))
    progress.what = "replies"
    try:
        found = rerun(model, lines, str(file), tolerance=tolerance, tick=progress.step)
    finally:
        progress.clear()
    publish_finding(form, output, found, print_regression, regression_page)
    return _exit_code(found)


def _exit_code(found: Regression) -> int:
    if found.stopped is not None:
        click.echo(f"stopped after {found.asked} of {found.lines} lines: {found.stopped}", err=True)
        return _OF_INTERRUPT if found.stopped == INTERRUPTED else 1
    if not found.asked:
        click.echo("need more data: no line of the file has both an input and a label_true", err=True)
        return NEED_MORE_DATA
    return int(found.fixed < found.asked)
