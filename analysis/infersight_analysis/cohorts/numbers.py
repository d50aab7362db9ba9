"""Numbers that are larger, smaller or otherwise distributed in the requests of one cohort."""

from typing import Final

import numpy as np
import numpy.typing as npt

from infersight_analysis.cohorts.attributes import CALLS, Attribute
from infersight_analysis.cohorts.candidates import LEAST_REQUESTS, MAY_MATTER, Candidate, Candidates, Kind, Trait
from infersight_analysis.cohorts.columns import Column, distinct_of
from infersight_analysis.cohorts.places import Places, by_subject
from infersight_analysis.stats.normal import deviates
from infersight_analysis.stats.ranks import TwoSamples

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int32]

LEAST_DELTA: Final = 0.147
"""A Cliff's delta, or a distance of two distributions, within this is negligible (Romano et al., 2006)."""

_FEW: Final = 200
_FIRST: Final = 20_000
"""A number of more than this many values among the first ones is not looked at value by value."""


def look_at_numbers(candidates: Candidates, attribute: Attribute, places: Places, column: Column) -> list[int]:
    """Test the numbers of an attribute, of each subject by itself.

    Args:
        candidates: takes note of the tests.
        attribute: whose numbers.
        places: what the rows are; of several numbers of a request the largest counts.
        column: the numbers.

    Returns:
        the subjects of which few numbers occur, so that each of them is a value too.
    """
    few: list[int] = []
    for subject, at in by_subject(places.subject(column.rows)):
        rows, numbers = column.rows[at], column.values[at]
        if len(distinct_of(numbers[:_FIRST])[0]) <= _FEW:
            few.append(subject)
        number, request = _largest(numbers, places.request[rows], len(candidates.is_target), places.is_repeated(rows))
        is_target = candidates.is_target[request]
        if LEAST_REQUESTS <= np.count_nonzero(is_target) <= len(request) - LEAST_REQUESTS:
            two = TwoSamples.of(number[is_target], number[~is_target])
            _test(candidates, (attribute, subject), two, request, number)
    return few


def _largest(
    number: Numbers, request: Integers, requests: int, is_repeated: Flags
) -> tuple[Numbers, Integers | npt.NDArray[np.int64]]:
    """One number of each request that has any, the largest."""
    if not is_repeated.any():
        return number, request
    largest = np.full(requests, -np.inf)
    np.maximum.at(largest, request, number)
    found = np.flatnonzero(largest > -np.inf)
    return largest[found], found


def look_at_calls(
    candidates: Candidates, subject: int, request: npt.NDArray[np.int64], calls: npt.NDArray[np.uint16]
) -> None:
    """Test how often requests call an operation.

    Args:
        candidates: takes note of the tests.
        subject: the operation's number as a subject.
        request: the requests that could call it.
        calls: how often each of them does.
    """
    is_target = candidates.is_target[request]
    target = np.bincount(calls[is_target], minlength=int(calls.max()) + 1)
    baseline = np.bincount(calls[~is_target], minlength=len(target))
    occurring = np.flatnonzero(target + baseline)
    if len(occurring) > 1 and min(target.sum(), baseline.sum()) >= LEAST_REQUESTS:
        two = TwoSamples(occurring.astype(np.float64), target[occurring], baseline[occurring])
        _test(candidates, (CALLS, subject), two, request, calls)


def _test(
    candidates: Candidates,
    of: tuple[Attribute, int],
    two: TwoSamples,
    request: npt.NDArray[np.int64] | Integers,
    number: npt.NDArray[np.float64] | npt.NDArray[np.uint16],
) -> None:
    """Test whether numbers differ in size, and, where they do not by much, in how they are distributed."""
    candidates.numbers += 2
    kind: Kind = "number"
    p_value, strength, effect = two.p_value, abs(two.deviate), two.delta
    if two.distance_p_value > MAY_MATTER and p_value > MAY_MATTER:
        return
    low, high = two.delta_interval()
    if min(abs(low), abs(high)) < LEAST_DELTA or low * high < 0:
        kind, p_value, effect = "shape", two.distance_p_value, two.distance
        strength = float(deviates(np.array([p_value]))[0])
        low, high = two.distance_interval()
    cut = two.cut
    beyond = request[number >= cut.value if cut.above else number <= cut.value]
    in_target = int(np.count_nonzero(candidates.is_target[beyond]))
    if p_value > MAY_MATTER or strength < candidates.floor(kind) or in_target < candidates.least:
        return
    members = np.zeros(len(candidates.is_target), np.bool_)
    members[beyond] = True
    candidate = Candidate(
        traits=[Trait(*of, cut.value)],
        kind=kind,
        more=cut.above,
        having=(in_target, len(beyond) - in_target),
        sizes=two.sizes,
        p_value=p_value,
        strength=strength,
        bits=np.packbits(members),
        medians=two.medians,
        effect=(effect, low, high),
    )
    if min(abs(low), abs(high)) >= LEAST_DELTA:
        candidates.keep(kind, candidate)
