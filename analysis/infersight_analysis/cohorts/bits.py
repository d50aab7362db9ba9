"""Sets of requests as bits."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int64]

ALIKE: Final = 0.95
"""Two sets are the same for our purposes from this Jaccard index on: what both have over what either has."""


def words(sets: Sequence[Bits]) -> Words:
    """Sets as rows of 64-bit words."""
    size = len(sets[0])
    padded = np.zeros((len(sets), -(-size // 8) * 8), np.uint8)
    padded[:, :size] = np.stack(sets)
    return padded.view(np.uint64)


def size(of: npt.NDArray[np.uint8] | Words) -> Counts:
    """How many members each set has; the last axis is that of the bits."""
    counts: Counts = np.bitwise_count(of).sum(axis=-1, dtype=np.int64)
    return counts


def are_alike(one: Bits, other: Bits) -> bool:
    """Whether the Jaccard index of two sets is at least `ALIKE`."""
    return bool(size(one & other) >= ALIKE * size(one | other))
