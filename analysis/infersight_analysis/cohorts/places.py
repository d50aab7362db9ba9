"""Where attributes are found: the rows of a table by what they are to the requests."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
Calls = npt.NDArray[np.uint16]

TARGET: Final = 1
REPEATED: Final = 2
"""Bits of `Places.facts` below the subject."""

_SHORT: Final = 1 << 15
"""Fewer subjects than this are sorted as short integers, which NumPy does by counting."""


@dataclass(frozen=True)
class Places:
    """The rows of a table, each a place where a request may have an attribute; one element a row.

    Args:
        request: number of its request.
        facts: four times what of the requests the row is, the subject; 1 more where the request belongs to the target,
            2 more where another row of the same subject has the same request. One number, because rows are picked out
            of it again and again.
        subjects: one more than the largest subject.
    """

    request: Integers
    facts: Integers
    subjects: int

    @classmethod
    def of(cls, subject: Integers, request: Integers, is_target: Flags) -> "tuple[Places, dict[int, Calls]]":
        """The places, and by subject how many rows of it each request has, 65 535 where there are more.

        Args:
            subject: of each row.
            request: number of each row's request.
            is_target: of each request, whether it belongs to the target.
        """
        is_repeated = np.zeros(len(subject), np.bool_)
        calls: dict[int, Calls] = {}
        for number, rows in by_subject(subject):
            of_rows = request[rows]
            counts = np.bincount(of_rows, minlength=len(is_target))
            if len(rows) > np.count_nonzero(counts):
                is_repeated[rows] = counts[of_rows] > 1
            calls[number] = np.minimum(counts, 0xFFFF).astype(np.uint16)
        facts = subject * np.int32(4)
        facts += is_target[request]
        facts[is_repeated] += REPEATED
        return cls(request, facts, max(calls, default=-1) + 1), calls

    def subject(self, rows: Integers) -> Integers:
        """The subject of some rows."""
        return self.facts[rows] >> 2

    def is_repeated(self, rows: Integers) -> Flags:
        """Whether another row of the same subject has the same request, of some rows."""
        return (self.facts[rows] & REPEATED) > 0


def by_subject(subject: Integers) -> Iterator[tuple[int, Rows]]:
    """The indices of the rows of each subject, in their order.

    Args:
        subject: of each row.
    """
    if not len(subject):
        return
    ends = np.cumsum(np.bincount(subject)).tolist()
    order = np.argsort(subject.astype(np.int16) if len(ends) < _SHORT else subject, kind="stable")
    for number, (start, end) in enumerate(zip((0, *ends), ends, strict=False)):
        if end > start:
            yield number, order[start:end]
