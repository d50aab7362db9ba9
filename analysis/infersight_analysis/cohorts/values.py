"""Values that the requests of one cohort have more often than those of the other."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from infersight_analysis.cohorts.attributes import Attribute
from infersight_analysis.cohorts.candidates import LEAST_RATIO, MAY_MATTER, Bits, Candidate, Candidates, Trait, Universe
from infersight_analysis.cohorts.columns import Column, distinct_of, frequent
from infersight_analysis.cohorts.places import REPEATED, TARGET, Integers, Places
from infersight_analysis.stats.tables import deviance_root, p_values, risk_ratios

Counts = npt.NDArray[np.int64]

_SPARSE: Final = 4
"""A table with more cells than so many for each row is not made: memory would be what limits it."""


@dataclass(frozen=True)
class Values:
    """How many requests have which values: a request counts once for a value of a subject, however many rows have it.

    Args:
        subject: whose value; one element a value of a subject.
        value: hashes or numbers.
        target: requests of the target that have it.
        baseline: requests of the baseline.
    """

    subject: Counts
    value: npt.NDArray[Any]
    target: Counts
    baseline: Counts
    _number: Counts  # of each value of a subject
    _numbers: Counts  # of each row that has a frequent value the number of that
    _rows: Integers  # these rows
    _places: Places

    @classmethod
    def of(cls, places: Places, column: Column, least: int) -> Self:
        """Those that occur in at least so many rows, by subject and value.

        Args:
            places: what the rows are.
            column: hashes or numbers.
            least: rows that must have a value.
        """
        often, code, distinct = frequent(column.values, least)
        rows = column.rows[often]
        facts = places.facts[rows]
        cell, which = _cells(code * np.int64(places.subjects) + (facts >> 2), places.subjects * len(distinct))
        pair = cell * 2 + (facts & TARGET)
        counts = np.bincount(pair, minlength=2 * len(which))
        again = np.flatnonzero(facts & REPEATED)
        repeated = _repetitions(pair[again], places.request[rows[again]])
        if len(repeated):
            counts -= np.bincount(repeated, minlength=len(counts))
        counts = counts.reshape(-1, 2)
        cells = np.flatnonzero(counts.sum(axis=1) >= max(1, least))
        at, subject = np.divmod(which[cells], places.subjects)
        order = np.lexsort((at, subject))
        cells, at, subject = cells[order], at[order], subject[order]
        baseline, target = counts[cells].T
        return cls(subject, distinct[at], target, baseline, cells, cell, rows, places)

    def members(self, chosen: Counts, requests: int) -> Iterator[Bits]:
        """Which requests have each of some values, as bits.

        Args:
            chosen: indices of the values.
            requests: how many requests there are.
        """
        if not len(chosen):
            return
        place = np.full(int(self._numbers.max()) + 1, -1, np.int32)
        place[self._number[chosen]] = np.arange(len(chosen))
        of_rows = place[self._numbers]
        rows = np.flatnonzero(of_rows >= 0)
        rows = rows[np.argsort(of_rows[rows], kind="stable")]
        ends = np.cumsum(np.bincount(of_rows[rows], minlength=len(chosen))).tolist()
        for start, end in zip((0, *ends), ends, strict=False):
            flags = np.zeros(requests, np.bool_)
            flags[self._places.request[self._rows[rows[start:end]]]] = True
            yield np.packbits(flags)


def look_at_values(
    candidates: Candidates,
    attribute: Attribute,
    places: Places,
    column: Column,
    universe: Universe | None = None,
) -> None:
    """Test each value of an attribute, of each subject by itself.

    Args:
        candidates: takes note of the tests.
        attribute: whose values.
        places: what the rows are.
        column: hashes or numbers.
        universe: the requests to compare; those that have the subject by default.
    """
    found = Values.of(places, column, candidates.least)
    universes = {
        subject: universe or candidates.universes.get(subject, candidates.everything)
        for subject in distinct_of(found.subject)[0].tolist()
    }
    if not universes:
        return
    sizes = np.zeros((max(universes) + 1, 2), np.int64)
    for subject, among in universes.items():
        sizes[subject] = among.sizes
    n, m = sizes[found.subject].T
    x, y = found.target, found.baseline
    tested = np.flatnonzero((x + y >= candidates.least) & (x + y < n + m))
    x, y, n, m = (column[tested] for column in (x, y, n, m))
    candidates.values += len(tested)
    p, root = p_values(x, y, n, m), deviance_root(x, y, n, m)
    # One that has no chance to be named matters only as one of a pair, for which the target must have it more often.
    ratio, ratio_without = risk_ratios(x, y, n, m), risk_ratios(n - x, m - y, n, m)
    is_weak = np.where(root > 0, (ratio < LEAST_RATIO) | (x < candidates.least), ratio_without < LEAST_RATIO)
    floor = np.where(is_weak, candidates.floor("weak"), candidates.floor("value"))
    near = np.flatnonzero((p <= MAY_MATTER) & (np.abs(root) >= floor) & (~is_weak | (root > 0)))
    members = found.members(tested[near], len(candidates.is_target))
    for at, index, bits in zip(near.tolist(), tested[near].tolist(), members, strict=True):
        subject, more = int(found.subject[index]), bool(root[at] > 0)
        among = universes[subject]
        candidates.keep(
            "weak" if is_weak[at] else "value",
            Candidate(
                traits=[Trait(attribute, subject, found.value[index].item())],
                kind="value",
                more=more,
                having=(int(x[at]), int(y[at])),
                sizes=among.sizes,
                p_value=float(p[at]),
                strength=float(abs(root[at])),
                is_of_all=sum(among.sizes) == len(candidates.is_target),
                bits=bits if more else among.bits & ~bits,
            ),
        )


def _cells(cell: Counts, most: int) -> tuple[Counts, Counts]:
    """Numbers of cells without gaps, where hardly any of those that there may be occur; and which cells they are."""
    if most <= _SPARSE * len(cell):
        return cell, np.arange(most)
    occurring = distinct_of(cell)[0]
    return np.searchsorted(occurring, cell), occurring


def _repetitions(cell: Counts, request: Integers) -> Counts:
    """The cells that a request has once more, one element for each time."""
    if not len(cell):
        return cell
    requests = int(request.max()) + 1
    pairs = np.sort(cell * requests + request)
    repeated: Counts = pairs[1:][pairs[1:] == pairs[:-1]] // requests
    return repeated
