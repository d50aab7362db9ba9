"""Values that the requests of one cohort have more often than those of the other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from infersight_analysis.cohorts.attributes import Attribute
from infersight_analysis.cohorts.candidates import LEAST_RATIO, MAY_MATTER, Bits, Candidate, Candidates, Trait, Universe
from infersight_analysis.cohorts.columns import distinct_of
from infersight_analysis.cohorts.places import Flags, Integers, Place
from infersight_analysis.stats.tables import deviance_root, p_values, risk_ratios

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Values:
    """How many requests have which values of a subject: a request counts once for a value, however many rows have it.

    Args:
        subject: whose values.
        universe: the requests that are compared.
        value: the values, hashes or numbers.
        target: requests of the target that have each of them.
        baseline: requests of the baseline.
    """

    subject: int
    universe: Universe
    value: npt.NDArray[Any]
    target: Counts
    baseline: Counts
    _code: Counts
    _request: Integers

    @classmethod
    def of(cls, place: Place, values: npt.NDArray[Any], universe: Universe, least: int) -> Self:
        """Those that occur in at least so many rows.

        Args:
            place: what the rows are.
            values: a hash or a number a row, 0 or NaN where there is none.
            universe: the requests to compare.
            least: rows that must have a value.
        """
        rows = np.flatnonzero(~np.isnan(values) if values.dtype.kind == "f" else values)
        values = values[rows]
        distinct, counts = distinct_of(values)
        distinct = distinct[counts >= least]
        codes = np.searchsorted(distinct, values)
        chosen = np.flatnonzero(distinct[np.minimum(codes, len(distinct) - 1)] == values) if len(distinct) else rows[:0]
        rows, codes = rows[chosen], codes[chosen]
        request, is_repeated = place.request[rows], place.is_repeated[rows]
        cell = codes * 2 + place.is_target[rows]
        counts = np.bincount(cell, minlength=2 * len(distinct))
        counts -= np.bincount(_repetitions(cell, request, is_repeated), minlength=len(counts))
        baseline, target = counts.reshape(-1, 2).T
        return cls(place.subject, universe, distinct, target, baseline, codes, request)

    def members(self, at: int, requests: int) -> Bits:
        """Which requests have the value at an index, as bits.

        Args:
            at: the index.
            requests: how many requests there are.
        """
        flags = np.zeros(requests, np.bool_)
        flags[self._request[self._code == at]] = True
        return np.packbits(flags)


def look_at_values(
    candidates: Candidates,
    attribute: Attribute,
    parts: Iterable[tuple[Place, npt.NDArray[Any]]],
    universe: Universe | None = None,
) -> None:
    """Test each value of an attribute, of each subject by itself.

    Args:
        candidates: takes note of the tests.
        attribute: whose values.
        parts: by subject a hash or a number a row, 0 or NaN where there is none.
        universe: the requests to compare; those that have the subject by default.
    """
    found: list[Values] = []
    for place, values in parts:
        among = universe or candidates.universes.get(place.subject, candidates.everything)
        is_constant = values[0] == values[-1] and bool((values == values[0]).all())
        if not is_constant or (values[0] and place.requests < sum(among.sizes)):
            found.append(Values.of(place, values, among, candidates.least))
    if found:
        _test(candidates, attribute, found)


def _test(candidates: Candidates, attribute: Attribute, found: Sequence[Values]) -> None:
    """Test the values of all subjects at once."""
    tables = [
        (each.target, each.baseline, *(np.full(len(each.target), size) for size in each.universe.sizes))
        for each in found
    ]
    x, y, n, m = (np.concatenate(column) for column in zip(*tables, strict=True))
    owner = np.repeat(np.arange(len(found)), [len(each.target) for each in found])
    place = np.concatenate([np.arange(len(each.target)) for each in found])
    tested = (x + y >= candidates.least) & (x + y < n + m)
    x, y, n, m, owner, place = (column[tested] for column in (x, y, n, m, owner, place))
    candidates.values += len(x)
    p, root = p_values(x, y, n, m), deviance_root(x, y, n, m)
    # One that has no chance to be named matters only as one of a pair, for which the target must have it more often.
    ratio, ratio_without = risk_ratios(x, y, n, m), risk_ratios(n - x, m - y, n, m)
    is_weak = np.where(root > 0, (ratio < LEAST_RATIO) | (x < candidates.least), ratio_without < LEAST_RATIO)
    floor = np.where(is_weak, candidates.floor("weak"), candidates.floor("value"))
    near = (p <= MAY_MATTER) & (np.abs(root) >= floor) & (~is_weak | (root > 0))
    for at in np.flatnonzero(near).tolist():
        values, more = found[int(owner[at])], bool(root[at] > 0)
        bits = values.members(int(place[at]), len(candidates.is_target))
        candidates.keep(
            "weak" if is_weak[at] else "value",
            Candidate(
                traits=[Trait(attribute, values.subject, values.value[place[at]].item())],
                kind="value",
                more=more,
                having=(int(x[at]), int(y[at])),
                sizes=values.universe.sizes,
                p_value=float(p[at]),
                strength=float(abs(root[at])),
                is_of_all=sum(values.universe.sizes) == len(candidates.is_target),
                bits=bits if more else values.universe.bits & ~bits,
            ),
        )


def _repetitions(cell: Counts, request: Integers, is_repeated: Flags) -> Counts:
    """The cells that a request has once more, one element for each time."""
    rows = np.flatnonzero(is_repeated)
    if not len(rows):
        return cell[:0]
    requests = int(request.max()) + 1
    pairs = np.sort(cell[rows] * requests + request[rows])
    repeated: Counts = pairs[1:][pairs[1:] == pairs[:-1]] // requests
    return repeated
