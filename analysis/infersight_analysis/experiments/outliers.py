"""Whether what is found hangs on a few units."""

from typing import Final

import numpy as np

from infersight_analysis.experiments.samples import Sample
from infersight_analysis.stats.estimate import Estimate
from infersight_analysis.stats.means import difference

_SHARE: Final = 0.001
_LEAST: Final = 20


def without_extremes(a: Sample, b: Sample, confidence: float) -> Estimate | None:
    """The difference without the most extreme units of both arms, one in a thousand and at least one of each side.

    Both arms lose the units beyond the same two bounds, so that no difference is made where there is none.

    Args:
        a: the baseline.
        b: the arm.
        confidence: of the interval.

    Returns:
        None where the arms are too small to leave anybody out.
    """
    if min(len(a), len(b)) < _LEAST:
        return None
    both = np.sort(np.concatenate([a.values, b.values]))
    many = max(1, round(len(both) * _SHARE))
    low, high = both[many], both[-many - 1]
    kept = [each.values[(each.values >= low) & (each.values <= high)] for each in (a, b)]
    return difference(kept[0], kept[1], confidence)
