"""Statistics of values that each stand for several."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def weighted_quantiles(
    values: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], shares: Sequence[float]
) -> list[float]:
    """Quantiles of values as if each stood there as many times as it weighs, interpolated between neighbours.

    With whole weights exactly the linear method of Hyndman and Fan (their seventh) over the repeated values.

    Args:
        values: at least one.
        weights: of each value, positive.
        shares: which quantiles, 0 to 1.
    """
    order = np.argsort(values, kind="stable")
    values, reached = values[order], np.cumsum(weights[order])
    found: list[float] = []
    for share in shares:
        position = share * max(0.0, float(reached[-1]) - 1)
        # Repetitions of a value end at position reached - 1.
        above = min(int(np.searchsorted(reached - 1, position - 1e-9)), len(values) - 1)
        last = float(reached[above - 1]) - 1 if above else -1.0
        part = min(1.0, position - last) if above else 1.0
        below = float(values[above - 1]) if above else float(values[above])
        found.append(below + part * (float(values[above]) - below))
    return found
