"""A moment, the window around it and the baseline before that."""

from dataclasses import dataclass
from typing import Any, Final

from infersight_analysis.options import Window
from infersight_analysis.times import SECOND_NS

_BASELINES: Final = 12
_LEAST_BASELINE_NS: Final = 3600 * SECOND_NS


@dataclass(frozen=True)
class Moment:
    """A moment in nanoseconds since the epoch, with as much before and after it as is looked at.

    Args:
        at_ns: the moment.
        window_ns: how much before and after it.
    """

    at_ns: int
    window_ns: int

    @property
    def start_ns(self) -> int:
        """Begin of the window."""
        return self.at_ns - self.window_ns

    @property
    def end_ns(self) -> int:
        """End of the window."""
        return self.at_ns + self.window_ns

    @property
    def baseline_ns(self) -> int:
        """Begin of the baseline: an hour before the window, or six times its length where that is more."""
        return self.start_ns - max(_LEAST_BASELINE_NS, _BASELINES * self.window_ns)

    @property
    def window(self) -> Window:
        """The window."""
        return Window(self.start_ns, self.end_ns)

    @property
    def share(self) -> float:
        """The window's part of window and baseline."""
        return (self.end_ns - self.start_ns) / (self.end_ns - self.baseline_ns)

    @property
    def values(self) -> dict[str, Any]:
        """The parameters of the queries."""
        return {"from_ns": self.baseline_ns, "start_ns": self.start_ns, "until_ns": self.end_ns}
