"""Predictions that were wrong, written out so that they can be asked again: a line of JSON for each."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from infersight_analysis.destination import replaced
from infersight_analysis.quality.examples import example
from infersight_analysis.quality.predictions import INPUT, Feature, Predictions
from infersight_analysis.quality.slices import Search
from infersight_analysis.quality.telling import in_words


def write_regressions(predictions: Predictions, path: Path) -> int:
    """Write the wrong predictions as a regression set, those of the strongest slice first, of each the surest.

    A line has `input`, `label_true`, `label`, `confidence`, `prediction_id`, `trace_id`, `slice` and `characteristics`,
    all that is known of it. The input is null where it was not kept; of a table without such a column it is the record
    of its other columns. The same input with the same label that is right is written once.

    Args:
        predictions: with labels.
        path: of the file, which appears whole or not at all.

    Returns:
        how many were written.

    Raises:
        AnalysisError: it cannot be written.
    """
    lines = list(_lines(predictions.only(predictions.is_judged)))
    with replaced(path) as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
    return len(lines)


def _lines(predictions: Predictions) -> Iterator[dict[str, Any]]:
    slices = Search(predictions, predictions.is_wrong).slices()
    of = np.full(len(predictions), len(slices))
    for number, each in reversed(list(enumerate(slices))):
        of[each.members] = number
    names = [in_words([trait.attribute.name for trait in each.traits], each.values) for each in slices]
    rows = np.flatnonzero(predictions.is_wrong)
    sure = np.nan_to_num(predictions.confidence[rows], nan=-1.0)
    count = len(predictions)
    known = [(each, each.values(count).astype(np.float64)) for each in predictions.features if not each.many]
    written: set[tuple[str, str | None]] = set()
    for at in rows[np.lexsort((-sure, of[rows]))].tolist():
        one = example(predictions, at)
        said = {each.name: _value(each, float(values[at])) for each, values in known}
        characteristics = {name: value for name, value in said.items() if value is not None}
        given = _input(predictions.identity(at, "input"), characteristics)
        if given is not None:
            key = json.dumps(given), one.label_true
            if key in written:
                continue
            written.add(key)
        yield {
            "input": given,
            "label_true": one.label_true,
            "label": one.label,
            "confidence": one.confidence,
            "prediction_id": one.prediction_id,
            "trace_id": one.trace_id,
            "slice": names[of[at]] if of[at] < len(names) else None,
            "characteristics": characteristics,
        }


def _input(kept: str | None, characteristics: dict[str, Any]) -> Any:
    """What the model was given: the text, or what its JSON says where it was no text; of a table the record."""
    if kept is None:
        is_record = characteristics and not any(name.startswith(INPUT) for name in characteristics)
        return characteristics if is_record else None
    if characteristics.get(f"{INPUT}type", "str") == "str":
        return kept
    try:
        return json.loads(kept)
    except ValueError:  # cut where it was long
        return None


def _value(feature: Feature, value: float) -> str | float | None:
    if feature.texts is not None:
        return feature.texts[int(value)] if value >= 0 else None
    return None if math.isnan(value) else int(value) if float(value).is_integer() else float(value)
