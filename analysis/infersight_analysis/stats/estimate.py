"""What is known of a difference: the number, an interval that holds it, and how well chance explains it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """An effect: B minus A unless said otherwise.

    Args:
        value: the effect in the sample, NaN where there is none.
        low: the lower end of its interval, minus infinity where nothing is known.
        high: the upper end, infinity where nothing is known.
        p_value: two-sided, of no effect; None where no test belongs to the interval.
        method: how both were found, for people.
    """

    value: float
    low: float
    high: float
    p_value: float | None
    method: str

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of no difference."""
        return self.low > 0 or self.high < 0

    def opposes(self, other: "Estimate") -> bool:
        """Whether both are away from no difference, on opposite sides of it."""
        return self.value * other.value < 0 and self.excludes_zero and other.excludes_zero
