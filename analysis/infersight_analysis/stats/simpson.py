"""Whether a difference of two arms is that of their mixtures: Simpson's paradox, and what is short of it.

A segment that goes another way than the whole is no paradox; effects differ. It is one where the effect with the
segments held equal is the opposite of the crude one.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from infersight_analysis.stats import mantel_haenszel, proportions
from infersight_analysis.stats.estimate import Estimate

Counts = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Confounding:
    """An effect with and without a segmentation.

    Args:
        crude: B less A as they are.
        adjusted: the same with the segments held equal.
        mixture: what each segment adds to the crude difference by being more common in one arm; with the effects within
            the segments they sum to the crude difference.
    """

    crude: Estimate
    adjusted: Estimate
    mixture: tuple[float, ...]

    @property
    def reverses(self) -> bool:
        """Simpson's paradox: both effects are away from none, on opposite sides."""
        return self.crude.opposes(self.adjusted)

    @property
    def leading(self) -> int:
        """The segment whose different share of the arms moves the crude difference most."""
        return int(np.abs(self.mixture).argmax())

    @property
    def leading_share(self) -> float:
        """How much of what the mixtures do, in either direction, is done by that segment."""
        moved = np.abs(self.mixture)
        return float(moved.max() / moved.sum()) if moved.sum() > 0 else 0.0


def confounding(
    successes_a: Counts, trials_a: Counts, successes_b: Counts, trials_b: Counts, *, confidence: float = 0.95
) -> Confounding:
    """Compare two arms' shares as they are and within segments.

    The mixture's part of a difference of shares is that of Kitagawa (JASA 50, 1955).

    Args:
        successes_a: how many succeeded in A; an element a segment, two at least with both arms.
        trials_a: of how many.
        successes_b: how many succeeded in B.
        trials_b: of how many.
        confidence: of both intervals.

    Raises:
        ValueError: if a segment cannot have as many successes.
    """
    counts = (np.asarray(each, np.int64) for each in (successes_a, trials_a, successes_b, trials_b))
    x, n, y, m = counts
    crude = proportions.difference(int(x.sum()), int(n.sum()), int(y.sum()), int(m.sum()), confidence)
    adjusted = mantel_haenszel.difference(x, n, y, m, confidence=confidence)
    return Confounding(crude, adjusted, _mixture(x, n, y, m))


def _mixture(x: Counts, n: Counts, y: Counts, m: Counts) -> tuple[float, ...]:
    share_a, share_b = n / max(n.sum(), 1), m / max(m.sum(), 1)
    # What an arm lacks altogether is taken to be as in the other one.
    of_a = np.where(n > 0, x / np.maximum(n, 1), y / np.maximum(m, 1))
    of_b = np.where(m > 0, y / np.maximum(m, 1), of_a)
    usual = (of_a + of_b) / 2
    typical = float(usual @ (share_a + share_b)) / 2
    return tuple(((share_b - share_a) * (usual - typical)).tolist())
