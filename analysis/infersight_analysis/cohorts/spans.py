"""What the spans of the requests say: which operations they call and how often, and the attributes of their spans."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from infersight_analysis.cohorts.attributes import CALLED, Attribute
from infersight_analysis.cohorts.candidates import Candidates, Universe
from infersight_analysis.cohorts.columns import NO_VALUE
from infersight_analysis.cohorts.numbers import look_at_calls, look_at_numbers
from infersight_analysis.cohorts.places import Place, Places
from infersight_analysis.cohorts.population import Population
from infersight_analysis.cohorts.trees import APART, FIRST_OPERATION, PARENT, Trees
from infersight_analysis.cohorts.values import look_at_values

_FEW: Final = 200
_FIRST: Final = 20_000
"""A number of more than this many values among the first ones is not looked at value by value."""


def look_at_spans(
    candidates: Candidates, population: Population, trees: Trees, attributes: Sequence[Attribute]
) -> None:
    """Test everything that the spans of the requests say.

    Args:
        candidates: takes note of the tests, and of who calls what.
        population: both cohorts.
        trees: what each of its spans is to its request.
        attributes: what to look at.
    """
    often = np.bincount(trees.subject + 1) >= candidates.least  # the first is for spans apart
    often[APART + 1] = False
    inside = np.flatnonzero(often[trees.subject + 1])
    request, subject = population.request[inside], trees.subject[inside]
    places = Places(subject, request, candidates.is_target[request])
    calls = {place.subject: place.calls(len(population.requests)) for place in places}
    for number, universe in _universes(candidates, trees, calls).items():
        _look_at_operation(candidates, number, calls[number], universe)
        candidates.universes[number] = candidates.universe(calls[number] > 0)
        if calls[number].max() > 1:
            candidates.repeated[number] = calls[number]
    del calls
    rows = population.rows[inside]
    columns = population.scan.columns([attribute.reading for attribute in attributes])
    for attribute, column in zip(attributes, columns, strict=True):
        values = column if len(column) == len(rows) else column[rows]
        if attribute.is_outcome:
            values = np.where(subject >= FIRST_OPERATION, values, NO_VALUE)
        look_at(candidates, attribute, places, values)


def look_at(candidates: Candidates, attribute: Attribute, places: Places, values: npt.NDArray[Any]) -> None:
    """Test an attribute of each subject: each of its values, as numbers, or, where few numbers occur, both."""
    parts = list(places.of(values))
    if attribute.is_number:
        for place, numbers in parts:
            look_at_numbers(candidates, attribute, place, numbers)
        parts = [(place, numbers) for place, numbers in parts if _are_few(numbers[:_FIRST])]
    look_at_values(candidates, attribute, parts)


def _are_few(numbers: npt.NDArray[np.float64]) -> bool:
    return len(np.unique(numbers[~np.isnan(numbers)])) <= _FEW


def _universes(
    candidates: Candidates, trees: Trees, calls: Mapping[int, npt.NDArray[np.uint16]]
) -> dict[int, Universe]:
    """For each operation the requests that could have called it, for the parent all requests.

    Those are the requests with a span, their own or one below, of an operation that is ever seen to call it. So an
    operation that one route always calls tells nothing beside the route.
    """
    found: dict[int, Universe] = {}
    for number, of_requests in calls.items():
        if number == PARENT:
            found[number] = candidates.everything
        if number < FIRST_OPERATION:
            continue
        could = of_requests > 0
        for caller in trees.callers.get(number - FIRST_OPERATION, ()):
            could |= trees.own_operation == caller
            if caller + FIRST_OPERATION in calls:
                could |= calls[caller + FIRST_OPERATION] > 0
        found[number] = candidates.universe(could)
    return found


def _look_at_operation(candidates: Candidates, subject: int, calls: npt.NDArray[np.uint16], universe: Universe) -> None:
    """Test whether the requests that could call an operation do, and how often."""
    called = np.flatnonzero(calls).astype(np.int32)
    place = Place.of(subject, called, candidates.is_target[called])
    look_at_values(candidates, CALLED, [(place, np.ones(len(called), np.uint64))], universe)
    if calls.max() > 1:
        could = np.flatnonzero(np.unpackbits(universe.bits, count=len(calls)))
        look_at_calls(candidates, subject, could, calls[could])
