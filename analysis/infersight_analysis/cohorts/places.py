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

_SHORT: Final = 1 << 15
"""Fewer subjects than this are sorted as short integers, which NumPy does by counting."""


@dataclass(frozen=True)
class Places:
    """The rows of a table, each a place where a request may have an attribute; one element a row.

    Args:
        subject: what of the requests the row is.
        request: number of its request.
        slot: twice the subject, and one more where the request belongs to the target.
        is_repeated: whether another row of the same subject has the same request.
        subjects: one more than the largest subject.
    """

    subject: Integers
    request: Integers
    slot: Integers
    is_repeated: Flags
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
        return cls(subject, request, subject * 2 + is_target[request], is_repeated, max(calls, default=-1) + 1), calls


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
