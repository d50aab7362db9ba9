"""Where attributes are found, and which requests have which values."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from infersight_analysis.cohorts.columns import codes_of

Integers = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]

_CELLS: Final = 1 << 22
"""Values times subjects that are counted in one array."""


@dataclass(frozen=True)
class Places:
    """What the rows of a table are to the requests; one element a row.

    Args:
        request: number of the request.
        subject: what of the request the row is.
        is_repeated: whether another row is the same of the same request.
        is_target: whether the request belongs to the target.
    """

    request: Integers
    subject: Integers
    is_repeated: Flags
    is_target: Flags

    @cached_property
    def subjects(self) -> int:
        """How many subjects there are, times two: each by itself in target and baseline."""
        return 2 * (int(self.subject.max(initial=-1)) + 1)

    @cached_property
    def side(self) -> Counts:
        """The subject and the cohort in one number."""
        return self.subject.astype(np.int64) * 2 + self.is_target


@dataclass(frozen=True)
class Values:
    """How many requests have which values: a request counts once for a value, however many rows of it have it.

    Args:
        value: the values, a hash or a number each; several of the same for several subjects.
        subject: whose value it is.
        target: requests of the target that have it.
        baseline: requests of the baseline.
    """

    value: npt.NDArray[Any]
    subject: Counts
    target: Counts
    baseline: Counts
    _cells: Counts
    _cell: Counts
    _request: Integers

    @classmethod
    def of(cls, places: Places, values: npt.NDArray[Any], least: int) -> "Values":
        """Those that occur in at least so many rows.

        Args:
            places: what the rows are.
            values: a hash or a number a row, 0 or NaN where there is none.
            least: rows that must have a value.
        """
        has = ~np.isnan(values) if values.dtype.kind == "f" else values != 0
        rows = None if has.all() else np.flatnonzero(has)
        codes, distinct = codes_of(values if rows is None else values[rows])
        if len(distinct) * places.subjects > _CELLS:
            rows, codes, distinct = _often(rows, codes, distinct, least)
        side = places.side if rows is None else places.side[rows]
        cell = codes * np.int64(places.subjects) + side
        request = places.request if rows is None else places.request[rows]
        is_repeated = places.is_repeated if rows is None else places.is_repeated[rows]
        counts = np.bincount(cell, minlength=len(distinct) * places.subjects)
        counts -= np.bincount(_repetitions(cell, request, is_repeated), minlength=len(counts))
        of_sides = counts.reshape(-1, 2)  # baseline and target
        cells = np.flatnonzero(of_sides.sum(axis=1) >= least)
        of_value, subject = np.divmod(cells, places.subjects // 2)
        return cls(distinct[of_value], subject, of_sides[cells, 1], of_sides[cells, 0], cells, cell, request)

    def members(self, which: Counts, requests: int) -> Iterator[Flags]:
        """Flags of the requests that have each of some values.

        Args:
            which: indexes of values, ascending.
            requests: how many requests there are.
        """
        if not len(which):
            return
        number = np.full(int(self._cells[-1]) + 1, -1)
        number[self._cells[which]] = np.arange(len(which))
        of = self._cell // 2
        rows = np.flatnonzero(of < len(number))
        of = number[of[rows]]
        rows, of = rows[of >= 0], of[of >= 0]
        order = np.argsort(of.astype(np.int16) if len(which) < 1 << 15 else of, kind="stable")
        request = self._request[rows[order]]
        ends = np.cumsum(np.bincount(of, minlength=len(which)))
        for start, end in zip(np.append(0, ends[:-1]).tolist(), ends.tolist(), strict=True):
            flags = np.zeros(requests, np.bool_)
            flags[request[start:end]] = True
            yield flags


def _often(
    rows: Counts | None, codes: Integers, distinct: npt.NDArray[Any], least: int
) -> tuple[Counts, Integers, npt.NDArray[Any]]:
    """Only the rows with values that occur often."""
    often = np.bincount(codes) >= least
    chosen = np.flatnonzero(often[codes])
    number = (np.cumsum(often) - 1).astype(np.int32)
    return chosen if rows is None else rows[chosen], number[codes[chosen]], distinct[often]


def _repetitions(cell: Counts, request: Integers, is_repeated: Flags) -> Counts:
    """The cells that a request has once more, one element for each time."""
    rows = np.flatnonzero(is_repeated)
    if not len(rows):
        return cell[:0]
    requests = int(request.max()) + 1
    pairs = np.sort(cell[rows] * requests + request[rows])
    repeated: Counts = pairs[1:][pairs[1:] == pairs[:-1]] // requests
    return repeated
