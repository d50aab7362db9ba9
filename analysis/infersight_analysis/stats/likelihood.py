"""Two shares bound to each other by a line: how much less likely that makes what was seen."""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, inf, log

_BISECTIONS = 45


@dataclass(frozen=True, slots=True)
class TwoShares:
    """How many succeeded in two arms.

    Args:
        successes_a: in A.
        trials_a: of how many, one at least.
        successes_b: in B.
        trials_b: of how many, one at least.
    """

    successes_a: int
    trials_a: int
    successes_b: int
    trials_b: int

    def __post_init__(self) -> None:
        for successes, trials in ((self.successes_a, self.trials_a), (self.successes_b, self.trials_b)):
            if not 0 <= successes <= trials:
                raise ValueError(f"{successes} of {trials} cannot have succeeded")

    @property
    def a(self) -> float:
        """The share of A."""
        return self.successes_a / self.trials_a

    @property
    def b(self) -> float:
        """The share of B."""
        return self.successes_b / self.trials_b

    def deviance(self, *, ratio: float = 1.0, shift: float = 0.0) -> float:
        """The likelihood-ratio statistic (G) of B's share being `ratio` times A's, plus `shift`.

        Against the shares as they were seen, at the likeliest pair of shares on that line; infinite where there is no
        such pair at all.
        """
        low, high = max(0.0, -shift / ratio), min(1.0, (1 - shift) / ratio)
        if low > high:
            return inf

        def too_small(share: float) -> bool:
            of_b = ratio * share + shift
            slope = _slope(self.successes_a, self.trials_a, share)
            return slope + ratio * _slope(self.successes_b, self.trials_b, of_b) > 0

        if ratio == 1 and shift == 0:  # the one that is asked at every look
            share = (self.successes_a + self.successes_b) / (self.trials_a + self.trials_b)
        else:
            share = _boundary(too_small, low, high)
        constrained = _log_likelihood(self.successes_a, self.trials_a, share)
        constrained += _log_likelihood(self.successes_b, self.trials_b, ratio * share + shift)
        free = _log_likelihood(self.successes_a, self.trials_a, self.a)
        free += _log_likelihood(self.successes_b, self.trials_b, self.b)
        return max(0.0, 2 * (free - constrained))

    def differences(self, limit: float) -> tuple[float, float]:
        """The least and the largest difference (B less A) whose deviance is within a limit."""
        value = self.b - self.a
        return (
            _boundary(lambda shift: self.deviance(shift=shift) <= limit, value, -1.0),
            _boundary(lambda shift: self.deviance(shift=shift) <= limit, value, 1.0),
        )

    def ratios(self, limit: float) -> tuple[float, float]:
        """The least and the largest ratio (B over A) whose deviance is within a limit: 0 and infinity at most."""

        def allows(logarithm: float) -> bool:
            return self.deviance(ratio=exp(logarithm)) <= limit

        seen = log(max(self.successes_b, 0.5) / self.trials_b) - log(max(self.successes_a, 0.5) / self.trials_a)
        low = exp(_boundary(allows, seen, -40.0)) if self.successes_b else 0.0
        return low, exp(_boundary(allows, seen, 40.0)) if self.successes_a else inf


def _boundary(inside: Callable[[float], bool], near: float, far: float) -> float:
    """Where one is no longer inside on the way from a near number to a far one; the far one if one is inside there."""
    if inside(far):
        return far
    for _ in range(_BISECTIONS):
        middle = (near + far) / 2
        near, far = (middle, far) if inside(middle) else (near, middle)
    return near


def _slope(successes: int, trials: int, share: float) -> float:
    """The derivative of the log likelihood; what never happened does not bound a share."""
    rising = (successes / share if share > 0 else inf) if successes else 0.0
    failures = trials - successes
    falling = (failures / (1 - share) if share < 1 else inf) if failures else 0.0
    return rising - falling


def _log_likelihood(successes: int, trials: int, share: float) -> float:
    failures = trials - successes
    if (successes and share <= 0) or (failures and share >= 1):
        return -inf
    return (successes * log(share) if successes else 0.0) + (failures * log(1 - share) if failures else 0.0)
