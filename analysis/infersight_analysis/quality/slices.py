"""Where a model is wrong: what wrong predictions have in common, by the engine that compares requests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from infersight_analysis.cohorts.attributes import Attribute
from infersight_analysis.cohorts.candidates import LEAST_REQUESTS, Candidate, Candidates, Trait
from infersight_analysis.cohorts.columns import Column
from infersight_analysis.cohorts.numbers import look_at_numbers
from infersight_analysis.cohorts.places import Places
from infersight_analysis.cohorts.selection import Discovery, discoveries
from infersight_analysis.cohorts.values import look_at_values
from infersight_analysis.quality.predictions import Feature, Flags, Numbers, Predictions
from infersight_analysis.stats.divergence import edges_of
from infersight_analysis.stats.strata import stratified
from infersight_analysis.stored import literal

_RANGES: Final = 10
_FEW: Final = 20
"""A number of which no more values occur than this is looked at value by value, else by ranges."""

_SINGLE: Final = ("value", "number", "shape")
_VALUES, _NUMBERS = 0, 1
"""Subjects: what is said of a slice is a value rather than a number, where the same predictions have both."""

_BEYOND: Final = 0.01
"""A slice that says nothing beyond stronger ones, at this level, is none."""


@dataclass(frozen=True)
class Found:
    """A slice.

    Args:
        discovery: what was found, with what else the same predictions have.
        members: which predictions are in it.
        values: the value, or range, of each of its traits.
        comparisons: the same in SQL.
        same_as: attribute and value of what the same predictions have.
    """

    discovery: Discovery
    members: Flags
    values: list[str]
    comparisons: list[tuple[Feature, list[str]]]
    same_as: list[tuple[str, str]]

    @property
    def traits(self) -> list[Trait]:
        """What the predictions have in common."""
        return self.discovery.candidate.traits


class Search:
    """Looks for slices of predictions.

    Args:
        predictions: all of them are compared.
        is_bad: which ones are, and so make the target.
    """

    def __init__(self, predictions: Predictions, is_bad: Flags) -> None:
        self._predictions: Final = predictions
        self._candidates: Final = Candidates(is_bad)
        self._features: Final = {Attribute(each.name, each.name, each.is_number): each for each in predictions.features}
        self._edges: Final[dict[Attribute, Numbers]] = {}

    @property
    def tests(self) -> int:
        """How many tests were made, without those of pairs."""
        return self._candidates.tests

    def slices(self) -> list[Found]:
        """The slices, the strongest first; none where there are too few predictions on either side."""
        target, baseline = self._candidates.everything.sizes
        if min(target, baseline) < LEAST_REQUESTS:
            return []
        for attribute, feature in self._features.items():
            self._look_at(attribute, feature)
        found = [each for each in discoveries(self._candidates) if self._is_slice(each)]
        return self._beyond([self._told(each) for each in found])

    def _look_at(self, attribute: Attribute, feature: Feature) -> None:
        column = feature.column
        subject = _NUMBERS if feature.is_number else _VALUES
        # A prediction with a list has a row for each of its members.
        request = column.rows
        places, _ = Places.of(np.full(len(request), subject, np.int32), request, self._candidates.is_target)
        column = Column(np.arange(len(request), dtype=np.int32), column.values)
        if not feature.is_number:
            look_at_values(self._candidates, attribute, places, column)
            return
        look_at_numbers(self._candidates, attribute, places, column)
        if len(np.unique(column.values)) > _FEW:
            edges = self._edges[attribute] = edges_of(column.values, _RANGES)
            column = Column(column.rows, np.searchsorted(edges, column.values, "left").astype(np.float64))
        look_at_values(self._candidates, attribute, places, column)

    def _is_slice(self, discovery: Discovery) -> bool:
        """Whether bad predictions have it more often; that a value is rare among them is no slice."""
        return discovery.candidate.more or discovery.candidate.kind in {"number", "shape"}

    def _told(self, discovery: Discovery) -> Found:
        candidate = discovery.candidate
        told = [self._value(trait, _side(candidate)) for trait in candidate.traits]
        of_traits = {id(trait): each for each in self._candidates.kept(*_SINGLE) for trait in each.traits}
        return Found(
            discovery=discovery,
            members=np.unpackbits(candidate.bits, count=len(self._predictions)).astype(np.bool_),
            values=[value for value, _ in told],
            comparisons=[
                (self._features[trait.attribute], comparisons)
                for trait, (_, comparisons) in zip(candidate.traits, told, strict=True)
            ],
            same_as=[
                (trait.attribute.name, self._value(trait, _side(of_traits[id(trait)]))[0])
                for trait in discovery.same_as
            ],
        )

    def _value(self, trait: Trait, side: str | None) -> tuple[str, list[str]]:
        """What a trait is in words, and as comparisons in SQL."""
        feature = self._features[trait.attribute]
        if feature.texts is not None:
            text = feature.texts[int(trait.value)]
            return text, [f"= {literal(text)}"]
        edges = self._edges.get(trait.attribute)
        if side is not None:
            return f"{side} {trait.value:.6g}", [f"{side} {trait.value!r}"]
        if edges is None:
            return f"{trait.value:.6g}", [f"= {trait.value!r}"]
        at = int(trait.value)
        bounds: list[tuple[str, Any]] = [(">", edges[at - 1])] if at else []
        bounds += [("<=", edges[at])] if at < len(edges) else []
        words = [f"{sign} {float(bound):.6g}" for sign, bound in bounds]
        return " and ".join(words), [f"{sign} {float(bound)!r}" for sign, bound in bounds]

    def _beyond(self, found: Sequence[Found]) -> list[Found]:
        """Those that say something beyond the stronger ones: among the predictions that these leave, or inside them.

        By the test of Mantel and Haenszel within the strata of the first slice that each prediction is in.
        """
        is_bad = self._candidates.is_target
        kept: list[Found] = []
        stratum = np.zeros(len(is_bad), np.int64)
        for each in found:
            tables = [
                np.bincount(stratum[cohort & chosen], minlength=len(kept) + 1)
                for chosen in (is_bad, np.ones(len(is_bad), np.bool_))
                for cohort in (each.members, ~each.members)
            ]
            ratio, p_value = stratified(*tables)
            if ratio > 1 and p_value <= _BEYOND:
                kept.append(each)
                stratum[each.members & (stratum == 0)] = len(kept)
        return kept


def _side(candidate: Candidate) -> str | None:
    """On which side of the cut of a number the predictions are; None of values."""
    if candidate.kind not in {"number", "shape"}:
        return None
    return ">=" if candidate.more else "<="
