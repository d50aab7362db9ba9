"""`infersight abtest design`: how large an experiment has to be."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from infersight_analysis import options
from infersight_analysis.errors import AnalysisError
from infersight_analysis.experiments.design import Traffic, design_of, traffic_of
from infersight_analysis.experiments.experiment import observed
from infersight_analysis.experiments.metrics import Margin, Metric
from infersight_analysis.experiments.question import Question, split_of
from infersight_analysis.findings import ExperimentDesign
from infersight_analysis.options import Window
from infersight_analysis.report.abtest import print_design
from infersight_analysis.report.html.abtest import design_page
from infersight_analysis.report.output import publish_finding
from infersight_analysis.verbs.abtest.experiment import Asked, measured

__all__ = ["Margin", "Metric", "Question", "Traffic", "design", "design_command"]


def design(
    source: Any, question: Question, *, shares: tuple[float, ...] = (1.0, 1.0), units_a_day: float | None = None
) -> ExperimentDesign:
    """How large an experiment has to be, by the traffic that there is.

    Args:
        source: a `Traffic` that is known; a connection from `connect`; or a table.
        question: what is measured of whom; its first metric says what matters. Its variant is not looked at.
        shares: of the arms, the baseline first, in any unit.
        units_a_day: new units in a day, instead of those that were measured.

    Raises:
        AnalysisError: there is too little traffic, or no such effect.
    """
    matters = question.metrics[0].matters
    if matters is None:
        raise AnalysisError("say which difference matters: --effect 5%, or 2pp, or 20ms")
    if len(shares) < 2:
        raise AnalysisError("an experiment has two arms at least: --split A=50,B=50")
    everyone = replace(question, variant=None, metrics=question.metrics[:1], segments=())
    traffic = source if isinstance(source, Traffic) else traffic_of(observed(source, everyone))
    if units_a_day is not None:
        traffic = replace(traffic, units_a_day=units_a_day)
    return design_of(traffic, matters, shares=shares, confidence=question.confidence, power=question.power)


@click.command(name="design")
@click.option(
    "--metric", default="errors", show_default=True, metavar="METRIC", help="VALUE[,STATISTIC][,lower|higher]."
)
@click.option("--effect", metavar="5%|2pp|20ms", required=True, help="The least difference to be found.")
@click.option("--rate", type=click.FloatRange(0, 1), help="The share it is now, instead of measuring it.")
@click.option("--mean", type=float, help="The mean it is now, with --deviation, instead of measuring it.")
@click.option("--deviation", type=click.FloatRange(0, min_open=True), help="The standard deviation of a unit's value.")
@click.option(
    "--units-a-day", type=click.FloatRange(0, min_open=True), help="New units a day, instead of measuring them."
)
@click.option("--split", metavar="A=90,B=10", help="Shares of the arms, the baseline first; two equal ones by default.")
@click.option("--confidence", default=0.95, show_default=True, type=click.FloatRange(0.5, 0.9999), help="Of intervals.")
@click.option(
    "--power", default=0.8, show_default=True, type=click.FloatRange(0.5, 0.999), help="How often it is found."
)
@click.option("--unit", metavar="NAME", help="Attribute or column of whom variants will be assigned to.")
@click.option("--data", metavar="FILE", type=click.Path(path_type=Path), help="CSV, Parquet or JSON instead.")
@click.option("--time", metavar="COLUMN", help="In a file, the column that says when.")
@options.SERVICE
@options.ROUTE
@options.CALLED_MODEL
@options.STORE
@options.window
@options.report("table", "json", "html")
def design_command(
    *,
    metric: str,
    effect: str,
    rate: float | None,
    mean: float | None,
    deviation: float | None,
    units_a_day: float | None,
    split: str | None,
    confidence: float,
    power: float,
    unit: str | None,
    data: Path | None,
    time: str | None,
    service: str | None,
    route: str | None,
    model: str | None,
    store: Path,
    window: Window,
    form: str,
    output: Path | None,
) -> None:
    """How large an experiment has to be to find a difference that matters, and how long that takes.

    The metric's value, its spread over units, and the traffic are measured from the requests in the store, or given.

    \b
    infersight abtest design --metric errors --effect 10% --service sentiment --last 7d
    infersight abtest design --rate 0.10 --effect 10% --units-a-day 5000
    """  # noqa: D301 - click's mark for lines that stay lines
    (asked,) = measured((metric,), (), data)
    question = Question(
        variant=None,
        metrics=(replace(asked, matters=Margin.of(effect)),),
        unit=unit,
        confidence=confidence,
        power=power,
        service=service,
        route=route,
        model=model,
        window=window,
        time=time,
    )
    shares = (1.0, 1.0) if split is None else tuple(split_of(split).values())
    known = _known(question.metrics[0], rate, mean, deviation)
    if known is not None:
        found = design(known, question, shares=shares, units_a_day=units_a_day)
    else:
        with Asked(question, store, data).source() as source:
            found = design(source, question, shares=shares, units_a_day=units_a_day)
    publish_finding(form, output, found, print_design, design_page)


def _known(metric: Metric, rate: float | None, mean: float | None, deviation: float | None) -> Traffic | None:
    """What the options say of the traffic; None where it is to be measured.

    Raises:
        AnalysisError: they contradict each other.
    """
    if (mean is None) != (deviation is None) or (rate is not None and mean is not None):
        raise AnalysisError("give either --rate, or --mean and --deviation")
    if rate is not None:
        name = metric.value if metric.value != "errors" else "share"
        return Traffic(replace(metric, value=name, statistic="rate", higher_is_better=True), rate, None)
    if mean is not None:
        return Traffic(replace(metric, value="value", statistic="mean", higher_is_better=True), mean, deviation)
    return None
