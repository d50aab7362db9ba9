"""The options that say which experiment, and where it is."""

import functools
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from infersight_analysis import options
from infersight_analysis.cohorts.question import MARGIN_NS
from infersight_analysis.errors import AnalysisError
from infersight_analysis.experiments.metrics import Metric
from infersight_analysis.experiments.question import Question, split_of
from infersight_analysis.options import Window
from infersight_analysis.session import opened
from infersight_analysis.times import parse_duration

_OF_REQUESTS: Final = ("errors", "duration")
"""What is measured of requests where nothing is said."""


@dataclass(frozen=True)
class Asked:
    """An experiment as the options name it.

    Args:
        question: the experiment.
        store: directory of the store.
        data: a file instead of it.
    """

    question: Question
    store: Path
    data: Path | None

    @contextmanager
    def source(self) -> Generator[Any]:
        """What to read it from, for `observed`."""
        if self.data is not None:
            yield self.data
            return
        reach = self.question.window.widened(self.question.pre_period_ns + MARGIN_NS)
        # Without an end: labels arrive later than what they are of.
        with opened(self.store, start_ns=reach.start_ns) as connection:
            yield connection


def metrics(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--metric` and `--guardrail`."""
    guardrail = click.option(
        "--guardrail",
        "guardrails",
        metavar="METRIC",
        multiple=True,
        help="Must only not become worse. May be repeated.",
    )
    metric = click.option(
        "--metric",
        "metrics",
        metavar="METRIC",
        multiple=True,
        help="VALUE[,STATISTIC][,lower|higher][,matters=5%|2pp|20ms]; the first decides. May be repeated.",
    )
    return metric(guardrail(function))


def experiment(function: Callable[..., Any]) -> Callable[..., Any]:
    """The variant and everything else that says which experiment; passed as the argument `asked`."""

    @click.argument("variant")
    @metrics
    @click.option("--unit", metavar="NAME", help="Attribute or column of whom variants are assigned to.")
    @click.option("--baseline", metavar="ARM", help="The variant that the others are compared with.")
    @click.option("--split", metavar="A=90,B=10", help="Shares of the variants as they were meant; equal by default.")
    @click.option(
        "--segment", "segments", metavar="NAME", multiple=True, help="Was there before the variant. Repeatable."
    )
    @click.option(
        "--after", metavar="NAME", multiple=True, help="The variant may change it: not held equal. Repeatable."
    )
    @click.option("--data", metavar="FILE", type=click.Path(path_type=Path), help="CSV, Parquet or JSON instead.")
    @click.option("--time", metavar="COLUMN", help="In a file, the column that says when.")
    @click.option("--covariate", "covariates", metavar="VALUE=COLUMN", multiple=True, help="In a file, earlier values.")
    @click.option("--pre-period", metavar="DURATION", help="In a store, look this long back for earlier values.")
    @options.SERVICE
    @options.ROUTE
    @options.CALLED_MODEL
    @options.STORE
    @options.window
    @functools.wraps(function)
    def with_experiment(
        *,
        variant: str,
        metrics: tuple[str, ...],
        guardrails: tuple[str, ...],
        unit: str | None,
        baseline: str | None,
        split: str | None,
        segments: tuple[str, ...],
        after: tuple[str, ...],
        data: Path | None,
        time: str | None,
        covariates: tuple[str, ...],
        pre_period: str | None,
        service: str | None,
        route: str | None,
        model: str | None,
        store: Path,
        window: Window,
        **rest: Any,
    ) -> Any:
        question = Question(
            variant=variant,
            metrics=measured(metrics, guardrails, data),
            unit=unit,
            baseline=baseline,
            split={} if split is None else split_of(split),
            segments=segments,
            after=after,
            service=service,
            route=route,
            model=model,
            window=window,
            pre_period_ns=0 if pre_period is None else parse_duration(pre_period),
            time=time,
            covariates=dict(map(_covariate, covariates)),
        )
        return function(asked=Asked(question, store, data), **rest)

    return with_experiment


def measured(given: tuple[str, ...], guardrails: tuple[str, ...], data: Path | None) -> tuple[Metric, ...]:
    """The metrics that options name, guardrails last.

    Args:
        given: those of `--metric`; errors and durations of requests where there are none.
        guardrails: those of `--guardrail`.
        data: the file, which has no metrics of its own.
    """
    texts = given or (() if data is not None else _OF_REQUESTS)
    return (*map(Metric.of, texts), *(Metric.of(text, is_guardrail=True) for text in guardrails))


def _covariate(text: str) -> tuple[str, str]:
    value, equals, column = text.rpartition("=")
    if not equals or not value or not column:
        raise AnalysisError(f"a covariate is written as VALUE=COLUMN, not {text!r}")
    return value, column
