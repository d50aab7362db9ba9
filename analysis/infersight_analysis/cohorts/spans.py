"""What the spans of the requests say: which operations they call and how often, and the attributes of their spans."""

from collections.abc import Mapping, Sequence

import numpy as np

from infersight_analysis.cohorts.attributes import CALLED, Attribute
from infersight_analysis.cohorts.candidates import Candidates, Universe
from infersight_analysis.cohorts.columns import Column
from infersight_analysis.cohorts.numbers import look_at_calls, look_at_numbers
from infersight_analysis.cohorts.places import Calls, Places
from infersight_analysis.cohorts.population import Population
from infersight_analysis.cohorts.trees import APART, FIRST_OPERATION, PARENT, Trees
from infersight_analysis.cohorts.values import look_at_values


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
    places, calls = Places.of(subject, request, candidates.is_target)
    for number, universe in _universes(candidates, trees, calls).items():
        _look_at_operation(candidates, number, calls[number], universe)
        candidates.universes[number] = candidates.universe(calls[number] > 0)
        if calls[number].max() > 1:
            candidates.repeated[number] = calls[number]
    del calls
    place = np.full(population.scanned, -1, np.int32)
    place[population.rows[inside]] = np.arange(len(inside))
    columns = population.scan.columns([attribute.reading for attribute in attributes], place)
    for attribute, column in zip(attributes, columns, strict=True):
        found = column.only(lambda one: subject[one.rows] >= FIRST_OPERATION) if attribute.is_outcome else column
        look_at(candidates, attribute, places, found)


def look_at(candidates: Candidates, attribute: Attribute, places: Places, column: Column) -> None:
    """Test an attribute of each subject: each of its values, as numbers, or, where few numbers occur, both."""
    if attribute.is_number:
        few = look_at_numbers(candidates, attribute, places, column)
        column = column.only(lambda one: np.isin(places.subject(one.rows), few))
    look_at_values(candidates, attribute, places, column)


def _universes(candidates: Candidates, trees: Trees, calls: Mapping[int, Calls]) -> dict[int, Universe]:
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


def _look_at_operation(candidates: Candidates, subject: int, calls: Calls, universe: Universe) -> None:
    """Test whether the requests that could call an operation do, and how often."""
    called = np.flatnonzero(calls).astype(np.int32)
    places, _ = Places.of(np.full(len(called), subject, np.int32), called, candidates.is_target)
    look_at_values(candidates, CALLED, places, Column.of(np.ones(len(called), np.uint64)), universe)
    if calls.max() > 1:
        could = np.flatnonzero(np.unpackbits(universe.bits, count=len(calls)))
        look_at_calls(candidates, subject, could, calls[could])
