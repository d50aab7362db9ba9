"""Where attributes are found: the rows of a table by what they are to the requests."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

_SHORT: Final = 1 << 15
"""Fewer subjects than this are sorted as short integers, which NumPy does by counting."""


@dataclass(frozen=True)
class Place:
    """The rows of one subject; one element a row.

    Args:
        subject: what of the requests the rows are.
        request: number of each row's request.
        is_target: whether that belongs to the target.
        is_repeated: whether another one of the rows has the same request.
    """

    subject: int
    request: Integers
    is_target: Flags
    is_repeated: Flags

    @cached_property
    def requests(self) -> int:
        """How many requests have such a row."""
        return len(np.unique(self.request[self.is_repeated])) + int(np.count_nonzero(~self.is_repeated))


class Places:
    """The rows of a table by subject.

    Args:
        subject: of each row.
        request: number of each row's request.
        is_target: whether that belongs to the target.
        is_repeated: whether another row has the same request and subject.
    """

    def __init__(self, subject: Integers, request: Integers, is_target: Flags, is_repeated: Flags) -> None:
        counts = np.bincount(subject)
        self._order: Final = np.argsort(subject.astype(np.int16) if len(counts) < _SHORT else subject, kind="stable")
        ends = np.cumsum(counts)
        self._slices: Final = [slice(end - count, end) for end, count in zip(ends, counts, strict=True) if count]
        request, is_target, is_repeated = request[self._order], is_target[self._order], is_repeated[self._order]
        self._places: Final = [
            Place(number, request[rows], is_target[rows], is_repeated[rows])
            for number, rows in zip(np.flatnonzero(counts).tolist(), self._slices, strict=True)
        ]

    def of(self, values: npt.NDArray[Any]) -> Iterator[tuple[Place, npt.NDArray[Any]]]:
        """Each subject with its part of a column."""
        arranged = values[self._order]
        for place, rows in zip(self._places, self._slices, strict=True):
            yield place, arranged[rows]
