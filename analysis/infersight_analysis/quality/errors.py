"""What a model is wrong about, from predictions to findings."""

from dataclasses import replace
from typing import Final

import numpy as np

from infersight_analysis.findings.evidence import Evidence
from infersight_analysis.findings.model_errors import ModelErrors, Slices
from infersight_analysis.quality.confusion import Cells
from infersight_analysis.quality.edges import edge_cases
from infersight_analysis.quality.examples import share
from infersight_analysis.quality.predictions import Predictions, counting
from infersight_analysis.quality.sureness import bands, calibration
from infersight_analysis.quality.telling import Bad, named, slices_of

SURE: Final = 0.9
UNSURE: Final = 0.6
"""Where confidence counts as high, and as low, unless somebody says otherwise."""

_MANY: Final = 50
_IS_WRONG: Final = "label <> label_true"


def errors(predictions: Predictions, *, sure: float = SURE, unsure: float = UNSURE, limit: int = 10) -> ModelErrors:
    """Find what a model is wrong about.

    Args:
        predictions: of `stored_predictions`, `file_predictions` or `predictions_of`; labels may be missing.
        sure: confidence above which a wrong prediction is one that the model was sure of.
        unsure: confidence below which it was not.
        limit: most slices to list of each kind.

    Returns:
        the findings; those that need labels, or confidences, are missing without, and notes say so.
    """
    judged = predictions.is_judged
    wrong = share(np.count_nonzero(predictions.is_wrong), np.count_nonzero(judged))
    failed = share(np.count_nonzero(predictions.is_failed), len(predictions))
    cells = Cells.of(predictions)
    found = ModelErrors(
        about=predictions.origin.about,
        summary="",
        predictions=len(predictions),
        wrong=wrong,
        failed=failed,
        classes=cells.qualities(),
        confusion=cells.table(),
        bands=bands(predictions, sure, unsure),
        calibration=calibration(predictions),
        slices=_slices(predictions, sure, unsure, limit),
        edge_cases=edge_cases(predictions) if len(predictions) else [],
        written=None,
        notes=_notes(predictions),
        evidence=Evidence([], counting(predictions.origin, _IS_WRONG, []), {"sure": sure, "unsure": unsure}),
    )
    return replace(found, summary=_summary(found))


def _summary(found: ModelErrors) -> str:
    if found.wrong.share is None or found.wrong.interval is None:
        return f"{found.about}: {found.predictions:,}, of which none can be judged"
    low, high = (100 * end for end in found.wrong.interval)
    said = f"{found.about}: {found.wrong.count:,} of {found.wrong.of:,} are wrong, "
    said += f"{100 * found.wrong.share:.1f} % ({low:.1f} to {high:.1f})"
    worst = [each.slices[0] for each in found.slices if each.what == "wrong" and each.slices]
    return f"{said}; most where {named(worst[0])}" if worst else said


def _slices(predictions: Predictions, sure: float, unsure: float, limit: int) -> list[Slices]:
    """Where predictions are wrong, wrong and sure, and failed; without labels where they are unsure."""
    judged, wrong, failed = predictions.is_judged, predictions.is_wrong, predictions.is_failed
    is_sure, has_confidence = predictions.confidence > sure, ~np.isnan(predictions.confidence)
    everything = np.ones(len(predictions), np.bool_)
    wanted: list[Bad] = []
    if judged.any():
        wanted.append(Bad("wrong", _IS_WRONG, wrong, judged, is_sure))
        sql = f"{_IS_WRONG} and confidence > {sure}"
        wanted.append(Bad("confidently wrong", sql, wrong & is_sure, judged, is_sure))
    else:
        is_unsure = predictions.confidence < unsure
        wanted.append(Bad("unsure", f"confidence < {unsure}", is_unsure, has_confidence, is_sure))
    wanted.append(Bad("failed", "error_type is not null", failed, everything, is_sure))
    return [slices_of(predictions, bad, limit) for bad in wanted if bad.members.any()]


def _notes(predictions: Predictions) -> list[str]:
    """What is missing, and what that means."""
    count, judged = len(predictions), int(np.count_nonzero(predictions.is_judged))
    found = (
        (not count, f"{predictions.origin.about}: there are none"),
        (
            bool(count and not judged),
            "no labels: what is wrong cannot be said; give them by infersight.feedback, or as a column label_true",
        ),
        (
            bool(0 < judged < count),
            f"labels are known for {judged:,} of {count:,} predictions; nothing is said of the others' rightness",
        ),
        (
            bool(count and np.isnan(predictions.confidence).all()),
            "no confidences: calibration, and what the model was sure of, cannot be said",
        ),
        (bool(count and not predictions.features), "nothing is known of the inputs, so no slices can be found"),
        (
            len(predictions.classes) > max(_MANY, judged // 2),
            f"there are {len(predictions.classes):,} labels: of estimated numbers wrong means not exactly equal",
        ),
    )
    return [*(note for holds, note in found if holds), *predictions.notes]
