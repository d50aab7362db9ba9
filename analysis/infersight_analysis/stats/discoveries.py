"""Many tests at once: how many of what is called a discovery are none."""

import numpy as np
import numpy.typing as npt


def q_values(p_values: npt.NDArray[np.float64], tests: int | None = None) -> npt.NDArray[np.float64]:
    """The smallest false-discovery rate at which each test is called a discovery (Benjamini and Hochberg, 1995).

    Args:
        p_values: of the tests, in any order.
        tests: how many were made, those included that are not among the p values, which count as 1; all of them are
            by default.
    """
    order = np.argsort(p_values)
    ranks = np.arange(1, len(order) + 1)
    scaled = p_values[order] * (len(order) if tests is None else tests) / ranks
    found = np.empty(len(order))
    found[order] = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return found


def holm(p_values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The smallest level at which each test is called a discovery, and any false one is that improbable.

    Holm's adjustment (Scandinavian Journal of Statistics 6, 1979), which holds however the tests depend on each other.

    Args:
        p_values: of the tests, in any order.
    """
    order = np.argsort(p_values)
    scaled = p_values[order] * np.arange(len(order), 0, -1)
    found = np.empty(len(order))
    found[order] = np.minimum(1.0, np.maximum.accumulate(scaled))
    return found
