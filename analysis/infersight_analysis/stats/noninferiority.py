"""Whether B is worse than A by more than is allowed: a decision that needs evidence both ways.

Not to have found a difference is no proof that there is none. With intervals of `sequential` a decision holds whenever
it is made: one that is wrong is made with a probability of 1 - confidence at most, however often one looks.
"""

from enum import Enum

import numpy as np
import numpy.typing as npt

from infersight_analysis.stats import sequential
from infersight_analysis.stats.estimate import Estimate

Numbers = npt.NDArray[np.float64]


class Decision(Enum):
    """What is known of B."""

    WORSE = "worse by more than the margin"
    NOT_WORSE = "not worse by more than the margin"
    UNKNOWN = "unknown"


def decide(estimate: Estimate, margin: float, *, larger_is_worse: bool = True) -> Decision:
    """Where the whole interval of an effect lies.

    Args:
        estimate: of B less A, or of their ratio.
        margin: by how much B may be worse; in the unit of the estimate, positive if larger is worse.
        larger_is_worse: of errors and latencies, not of successes.
    """
    low, high = (estimate.low, estimate.high) if larger_is_worse else (-estimate.high, -estimate.low)
    limit = margin if larger_is_worse else -margin
    if low > limit:
        return Decision.WORSE
    return Decision.NOT_WORSE if high <= limit else Decision.UNKNOWN


def failures(
    failures_a: int, trials_a: int, failures_b: int, trials_b: int, allowed: float, *, confidence: float = 0.95
) -> Decision:
    """Whether B fails more often than A by more than a relative margin, at any time.

    Args:
        failures_a: how many failed in A so far.
        trials_a: of how many.
        failures_b: how many failed in B.
        trials_b: of how many.
        allowed: 0.25 lets B fail a quarter more often than A.
        confidence: of all looks together.

    Raises:
        ValueError: if an arm cannot have as many failures.
    """
    found = sequential.ratios(failures_a, trials_a, failures_b, trials_b, confidence)
    return decide(found, 1 + allowed)


def quantiles(a: Numbers, b: Numbers, q: float, allowed: float, *, confidence: float = 0.95) -> Decision:
    """Whether a quantile of B is more than a relative margin above that of A, at any time.

    Args:
        a: the numbers of A so far, not negative.
        b: those of B.
        q: which quantile.
        allowed: 0.25 lets the quantile of B be a quarter larger than that of A.
        confidence: of all looks together.

    Raises:
        ValueError: if there is no such quantile.
    """
    return decide(sequential.quantiles(a * (1 + allowed), b, q, confidence), 0.0)
