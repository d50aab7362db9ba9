"""Numbers of findings."""

from math import isfinite


def finite(number: float) -> float | None:
    """A number as JSON has it: None where there is none, or where it has no bound."""
    return float(number) if isfinite(number) else None
