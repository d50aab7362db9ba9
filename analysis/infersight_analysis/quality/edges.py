"""Inputs at the edge of what a model is given: the smallest and largest ones, and forms that few have."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from infersight_analysis.findings.evidence import Evidence
from infersight_analysis.findings.model_errors import EdgeCase
from infersight_analysis.quality.examples import examples, share
from infersight_analysis.quality.predictions import INPUT, Feature, Flags, Predictions, condition, counting
from infersight_analysis.stats.discoveries import q_values
from infersight_analysis.stats.proportions import difference
from infersight_analysis.stored import literal

RARE: Final = 0.05
"""A form that more inputs than this have is no edge, but one of the ways that inputs are."""

_TAIL: Final = 0.01
_LEAST: Final = 5
_FEW: Final = 20
_LEVEL: Final = 0.05


@dataclass(frozen=True)
class _Edge:
    feature: Feature
    edge: str
    members: Flags
    comparison: str
    about: str


def edge_cases(predictions: Predictions) -> list[EdgeCase]:
    """The edges of the inputs' characteristics, or of all columns where none is one: the worst first.

    A number's edges are its smallest and its largest hundredth; where nearly all have one number, the others. A text's
    are the values that at most one in twenty has.

    Args:
        predictions: labels may be missing; then only how many there are is said.
    """
    edges = [edge for feature in _inputs(predictions) for edge in _edges(feature, len(predictions))]
    judged, wrong = predictions.is_judged, predictions.is_wrong
    found: list[EdgeCase] = []
    for edge in edges:
        inside, outside = edge.members & judged, ~edge.members & judged
        of_inside = share(np.count_nonzero(inside & wrong), np.count_nonzero(inside))
        of_outside = share(np.count_nonzero(outside & wrong), np.count_nonzero(outside))
        known = bool(of_inside.of and of_outside.of)
        effect = difference(of_outside.count, of_outside.of, of_inside.count, of_inside.of) if known else None
        sql = counting(predictions.origin, "label <> label_true", [condition(edge.feature, edge.comparison)])
        shown = examples(predictions, inside & wrong) or examples(predictions, edge.members)
        found.append(
            EdgeCase(
                attribute=edge.feature.name,
                edge=edge.edge,
                statement=edge.about,
                predictions=int(np.count_nonzero(edge.members)),
                wrong=of_inside,
                elsewhere=of_outside,
                difference=None if effect is None else effect.value,
                difference_interval=None if effect is None else (effect.low, effect.high),
                p_value=None if effect is None else effect.p_value,
                q_value=None,
                is_worse=False,
                examples=shown,
                evidence=Evidence([each.trace_id for each in shown if each.trace_id], sql),
            )
        )
    return sorted(_judged(found), key=lambda each: (not each.is_worse, each.p_value or 1.0))


def _judged(found: list[EdgeCase]) -> Iterator[EdgeCase]:
    """The edges with their false-discovery rates; of all that could be tested."""
    from dataclasses import replace  # noqa: PLC0415

    tested = [each for each in found if each.p_value is not None]
    q = iter(q_values(np.array([each.p_value for each in tested], np.float64)).tolist())
    for each in found:
        if each.p_value is None:
            yield each
            continue
        rate = next(q)
        yield replace(each, q_value=rate, is_worse=rate <= _LEVEL and (each.difference or 0) > 0)


def _inputs(predictions: Predictions) -> list[Feature]:
    characteristics = [each for each in predictions.features if each.name.startswith(INPUT)]
    return characteristics or predictions.features


def _edges(feature: Feature, count: int) -> Iterator[_Edge]:
    for edge in _of_number(feature, count) if feature.is_number else _of_text(feature, count):
        if _LEAST <= np.count_nonzero(edge.members) <= RARE * count:
            yield edge


def _of_number(feature: Feature, count: int) -> Iterator[_Edge]:
    values = feature.values(count)
    known = feature.column.values
    distinct, often = np.unique(known, return_counts=True)
    usual = float(distinct[often.argmax()])
    if often.max() >= (1 - RARE) * len(known):
        comparison = f"<> {usual!r}"
        yield _Edge(
            feature,
            comparison,
            ~np.isnan(values) & (values != usual),
            comparison,
            f"{feature.name} is not {usual:.6g}, as of nearly all",
        )
        return
    if len(distinct) <= _FEW:
        return
    low, high = (float(each) for each in np.quantile(known, [_TAIL, 1 - _TAIL], method="nearest"))
    for name, members, comparison, bound in (
        ("smallest", values <= low, "<=", low),
        ("largest", values >= high, ">=", high),
    ):
        edge = f"{comparison} {bound:.6g}"
        yield _Edge(feature, edge, members, f"{comparison} {bound!r}", f"{feature.name} is among the {name}: {edge}")


def _of_text(feature: Feature, count: int) -> Iterator[_Edge]:
    texts = feature.texts or []
    if len(texts) > _FEW:
        return
    for code, text in enumerate(texts):
        members = np.zeros(count, np.bool_)
        members[feature.column.rows[feature.column.values == code]] = True
        yield _Edge(feature, f"= {text}", members, f"= {literal(text)}", f"{feature.name} = {text}, as of few")
