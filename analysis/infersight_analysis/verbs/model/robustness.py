"""`infersight model robustness`: whether a model says the same of inputs that mean the same."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click

from infersight_analysis import options
from infersight_analysis.findings import Robustness
from infersight_analysis.models.inputs import read_inputs
from infersight_analysis.models.model import Model
from infersight_analysis.progress import Progress
from infersight_analysis.report.html.robustness import robustness_page
from infersight_analysis.report.output import publish_finding
from infersight_analysis.report.robustness import print_robustness
from infersight_analysis.robustness.robustness import measured_robustness, write_regressions
from infersight_analysis.robustness.testing import INTERRUPTED
from infersight_analysis.verbs.model.asking import asked_model

__all__ = ["measured_robustness", "robustness_command"]

_OF_INTERRUPT: Final = 130  # 128 + SIGINT, as shells say it


@click.command(name="robustness")
@asked_model
@click.option("--input", "inputs", metavar="FILE|TEXT", multiple=True, help="What to ask; repeatable.")
@click.option("--column", metavar="NAME", help="Only this column of records is the input.")
@click.option("--variation", "variations", metavar="NAME", multiple=True, help="Such as case or typos.swapped.")
@click.option("--field", "fields", metavar="NAME", multiple=True, help="Of records, vary only this field; repeatable.")
@click.option(
    "--noise",
    default=0.01,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    metavar="SHARE",
    help="Standard deviation of the noise, of each number.",
)
@click.option("--times", default=3, show_default=True, type=click.IntRange(2), help="How often the same is asked.")
@click.option(
    "--tolerance",
    type=click.FloatRange(0),
    metavar="NUMBER",
    help="How far apart answers that are numbers may be and still be the same.",
)
@click.option("--seed", default=0, show_default=True, help="The same variants come of the same seed.")
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 1),
    metavar="RATE",
    help="Exit code 1 where less is consistent, or answered, under any variation.",
)
@click.option(
    "--write-regressions",
    "regressions",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the variants with another answer as a regression set.",
)
@options.report("table", "json", "html")
def robustness_command(
    *,
    model: Model,
    inputs: Sequence[str],
    column: str | None,
    variations: Sequence[str],
    fields: Sequence[str],
    noise: float,
    times: int,
    tolerance: float | None,
    seed: int,
    fail_under: float | None,
    regressions: Path | None,
    form: str,
    output: Path | None,
) -> int:
    """Whether a model says the same of inputs that mean the same.

    MODEL is `module:callable`, or the address of an endpoint that takes and gives JSON. Each input is asked again
    first: what gets another answer then is not varied. Then it is written otherwise (case, whitespace, typos, Unicode,
    punctuation, truncation), measured otherwise (noise, scale, missing values, types), or asked in other company. An
    answer that differs is asked for once more, on both sides, before it counts. Ctrl-C ends it and keeps what was
    measured.

    \b
    infersight model robustness app:classify --input texts.txt
    infersight model robustness http://127.0.0.1:8000/predict --input-at text --input "what a day" --fail-under 0.95
    infersight model robustness app:score --input rows.csv --tolerance 0.01 --variation noise --variation missing
    """  # noqa: D301 - click's mark for lines that stay lines
    given = read_inputs(inputs, column)
    progress = Progress()
    progress.what = "replies"
    try:
        found, differences = measured_robustness(
            model,
            given,
            variations=variations,
            fields=fields,
            noise=noise,
            times=times,
            tolerance=tolerance,
            seed=seed,
            tick=progress.step,
        )
    finally:
        progress.clear()
    if regressions is not None:
        write_regressions(regressions, differences)
    publish_finding(form, output, found, print_robustness, robustness_page)
    return _exit_code(found, fail_under)


def _exit_code(found: Robustness, fail_under: float | None) -> int:
    """130 after an interrupt, 1 for a model that went away or is less consistent than it has to be, else 0."""
    if found.stopped is not None:
        click.echo(f"stopped after {found.calls} calls: {found.stopped}", err=True)
    if found.stopped == INTERRUPTED:
        return _OF_INTERRUPT
    short = [] if fail_under is None else list(_short(found, fail_under))
    if short:
        click.echo(f"less than {fail_under:g} under {', '.join(short)}", err=True)
    return int(bool(short) or found.stopped is not None)


def _short(found: Robustness, least: float) -> Iterator[str]:
    """The variations under which less is consistent, or answered."""
    if 1 - (found.repeated.rate or 0) < least:
        yield "no variation at all"
    for each in found.variations:
        tried = each.inputs + each.failed
        if each.rate is None or each.rate < least or each.inputs < least * tried:
            yield each.variation
