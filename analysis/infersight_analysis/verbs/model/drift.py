"""`infersight model drift`: what of inputs and predictions is distributed otherwise than before, and since when."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from infersight_analysis import options
from infersight_analysis.errors import AnalysisError
from infersight_analysis.options import Window
from infersight_analysis.quality.drift import THRESHOLD, drift
from infersight_analysis.quality.predictions import MODEL_VERSION, Predictions
from infersight_analysis.quality.reading import file_predictions, stored_predictions
from infersight_analysis.quality.tables import predictions_of
from infersight_analysis.report.html.model_drift import model_drift_page
from infersight_analysis.report.model_drift import print_model_drift
from infersight_analysis.report.output import publish_finding
from infersight_analysis.verbs.model.predictions import Asked, predictions

__all__ = ["drift", "drift_command", "file_predictions", "predictions_of", "stored_predictions"]

DRIFTED: Final = 1
NEED_MORE_DATA: Final = 3


@click.command(name="drift")
@click.option("--reference-window", metavar="START..END", help="Compare with predictions of this time, ISO 8601.")
@click.option("--reference-version", metavar="VERSION", help="Compare with those of this version of the model.")
@click.option("--reference-file", metavar="FILE", type=click.Path(path_type=Path), help="Compare with this table.")
@click.option("--by", metavar="FEATURE", multiple=True, help="Each of its values by itself, too. May be repeated.")
@click.option(
    "--threshold",
    default=THRESHOLD,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="The stability index from which on a difference counts.",
)
@predictions
@options.report("table", "json", "html")
def drift_command(
    *,
    asked: Asked,
    reference_window: str | None,
    reference_version: str | None,
    reference_file: Path | None,
    by: tuple[str, ...],
    threshold: float,
    form: str,
    output: Path | None,
) -> int:
    """What of inputs and predictions is distributed otherwise than before, and since when.

    Predictions are compared with a reference: those of another time, of another version of the model, or of a file;
    by default with all that were made before the window. Every characteristic of the inputs, the labels, the
    confidence, and, where labels are known, how often the model is right: each is tested against chance, with a
    false-discovery rate of 1 %, and counts from a population stability index of --threshold on.

    Exit code 1 when something drifted, 3 when there is too little to tell.

    \b
    infersight model drift --service sentiment --last 1h
    infersight model drift --model-version 1.5.0 --reference-version 1.4.0 --by http.route
    infersight model drift --file today.parquet --reference-file training.parquet
    """  # noqa: D301 - click's mark for lines that stay lines
    current = asked.read()
    reference = _reference(asked, reference_window, reference_version, reference_file)
    found = drift(current, reference, threshold=threshold, by=by or (MODEL_VERSION,))
    publish_finding(form, output, found, print_model_drift, model_drift_page)
    if found.drifted:
        return DRIFTED
    needed = [note for note in found.notes if "need more data" in note]
    if needed:
        click.echo(needed[0], err=True)
        return NEED_MORE_DATA
    return 0


def _reference(asked: Asked, window: str | None, version: str | None, file: Path | None) -> Predictions:
    """The predictions to compare with.

    Raises:
        AnalysisError: the options say none, or more than one.
    """
    if sum(each is not None for each in (window, version, file)) > 1:
        raise AnalysisError("give one reference: --reference-window, --reference-version or --reference-file")
    if file is not None:
        return file_predictions(file)
    if window is not None:
        return asked.during(Window.between(window)).read()
    if version is not None:
        if asked.file is not None:
            raise AnalysisError("--reference-version chooses from a store, not from --file")
        return replace(asked, chosen=replace(asked.chosen, version=version)).read()
    if asked.chosen.window.start_ns is None:
        ways = (
            "--reference-window, --reference-version, --reference-file, or a window (--last 1h) to compare with before"
        )
        raise AnalysisError(f"say what to compare with: {ways}")
    return asked.during(Window(None, asked.chosen.window.start_ns)).read()
