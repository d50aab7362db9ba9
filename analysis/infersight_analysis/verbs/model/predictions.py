"""Which predictions a verb is about: those of a store, or of a file."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from infersight_analysis import options
from infersight_analysis.cohorts.question import MARGIN_NS
from infersight_analysis.errors import AnalysisError
from infersight_analysis.options import Window
from infersight_analysis.quality.predictions import Predictions
from infersight_analysis.quality.reading import Chosen, file_predictions, stored_predictions
from infersight_analysis.session import opened


@dataclass(frozen=True)
class Asked:
    """What the options ask for.

    Args:
        store: its directory.
        file: read instead of the store, where there is one.
        chosen: which of the store's.
    """

    store: Path
    file: Path | None
    chosen: Chosen

    def read(self) -> Predictions:
        """The predictions.

        Raises:
            AnalysisError: the store or the file cannot be read, or has no times where a window is asked for.
        """
        if self.file is not None:
            return within(file_predictions(self.file), self.chosen.window)
        # Open to the end, because labels arrive after the window of the predictions.
        with opened(self.store, start_ns=self.chosen.window.widened(MARGIN_NS).start_ns) as connection:
            return stored_predictions(connection, self.chosen)

    def during(self, window: Window) -> "Asked":
        """The same in another time."""
        return replace(self, chosen=replace(self.chosen, window=window))


def within(predictions: Predictions, window: Window) -> Predictions:
    """Those that were made in a window.

    Raises:
        AnalysisError: nobody knows when they were made.
    """
    if window == Window():
        return predictions
    times = predictions.time_ns
    if times is None:
        raise AnalysisError(f"{predictions.origin.about} have no column 'time', so no window can be taken of them")
    chosen = (times >= (window.start_ns or 0)) & (times < (window.end_ns or 2**63 - 1))
    return predictions.only(chosen)


def predictions(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which predictions, passed as the argument `asked`."""

    @click.option(
        "--file",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Of this table (.csv, .parquet, .jsonl), not of the store.",
    )
    @options.SERVICE
    @click.option("--model", metavar="NAME", help="Only of this model.")
    @click.option("--model-version", metavar="VERSION", help="Only of this version of the model.")
    @options.STORE
    @options.window
    @functools.wraps(function)
    def asking(
        *args: Any,
        file: Path | None,
        service: str | None,
        model: str | None,
        model_version: str | None,
        store: Path,
        window: Window,
        **others: Any,
    ) -> Any:
        if file is not None and (service or model or model_version):
            raise AnalysisError("--service, --model and --model-version choose from a store, not from --file")
        asked = Asked(store, file, Chosen(service, model, model_version, window))
        return function(*args, asked=asked, **others)

    return asking
