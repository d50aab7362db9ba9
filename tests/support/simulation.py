"""What simulations of statistical methods have to show."""

from math import sqrt

_DEVIATIONS = 3.5
"""Standard errors of chance that are granted: a correct method fails once in some 4 000 simulations."""


def keeps_level(called: int, runs: int, level: float = 0.05) -> None:
    """Assert that a test which finds what is not there this often may well do so with the probability it says."""
    assert called / runs <= level + _DEVIATIONS * sqrt(level * (1 - level) / runs), f"{called} of {runs}"


def covers(hits: int, runs: int, low: float = 0.93, high: float = 0.97) -> None:
    """Assert that 95 % intervals hold the truth about as often as they say."""
    assert low <= hits / runs <= high, f"{hits} of {runs}"
