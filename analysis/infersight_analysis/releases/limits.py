"""How much worse a candidate may be: a limit for each figure, with defaults, and what follows from crossing it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from infersight_analysis.errors import AnalysisError

ROLL_BACK: Final = "roll back"
INVESTIGATE: Final = "investigate"

Kind = Literal["own", "points", "relative"]

_NUMBER: Final = re.compile(r"[+-]?(\d+(?:\.\d*)?|\.\d+)\s*(%|pp)?")


@dataclass(frozen=True)
class Limit:
    """The limit of one figure.

    Args:
        value: how much is allowed, as a share: 0.05 for 5 %, or for 5 percentage points.
        kind: what it is a limit of: the candidate's `own` figure, the change in `points`, or the `relative` change.
        worse: 1 where more is worse, -1 where less is, 0 where any change is one.
        consequence: of crossing it.
        about: for people.
    """

    value: float
    kind: Kind
    worse: int
    consequence: str
    about: str


DEFAULTS: Final = MappingProxyType(
    {
        "error-rate": Limit(0.05, "own", 1, ROLL_BACK, "share of requests that fail, if worse than the baseline's"),
        "success": Limit(0.05, "points", -1, ROLL_BACK, "fall of the share that neither failed nor was refused"),
        "latency": Limit(0.25, "relative", 1, ROLL_BACK, "rise of p50, p95 or p99"),
        "cascade": Limit(0.01, "points", 1, ROLL_BACK, "rise of the share in whose trace another service failed"),
        "accuracy": Limit(0.10, "points", -1, ROLL_BACK, "fall of the share of labelled predictions that were right"),
        "throughput": Limit(0.25, "relative", -1, INVESTIGATE, "fall of requests a second"),
        "cpu": Limit(0.25, "relative", 1, INVESTIGATE, "rise of CPU time a request"),
        "memory": Limit(0.25, "relative", 1, INVESTIGATE, "rise of a process's memory"),
        "device-memory": Limit(0.25, "relative", 1, INVESTIGATE, "rise of the memory in use on GPUs"),
        "predictions": Limit(0.10, "points", 0, INVESTIGATE, "change of any label's share of the predictions"),
        "confidence": Limit(0.10, "points", 0, INVESTIGATE, "change of the mean confidence"),
    }
)
"""What applies to figures for which nothing else was said."""


@dataclass(frozen=True)
class Limits:
    """The limits that apply.

    Args:
        given: those that were set by hand, as shares; crossing one of these rolls back, whatever the default says.
    """

    given: Mapping[str, float] = field(default_factory=dict[str, float])

    def __post_init__(self) -> None:
        for name in self.given:
            if name not in DEFAULTS:
                raise AnalysisError(f"there is no limit {name!r}: the limits are {', '.join(DEFAULTS)}")

    @classmethod
    def parse(cls, texts: Iterable[str]) -> "Limits":
        """Limits as the command line takes them: `error-rate=2%`, `latency=+50%`, `success=-3pp`.

        Raises:
            AnalysisError: a text is none, or names a figure that has no limit.
        """
        given: dict[str, float] = {}
        for text in texts:
            name, equals, amount = text.partition("=")
            number = _NUMBER.fullmatch(amount.strip())
            if not equals or number is None:
                raise AnalysisError(f"{text!r} is no limit: write it as error-rate=2%, latency=50% or success=3pp")
            given[name.strip().lower().replace("_", "-")] = float(number[1]) / (100 if number[2] else 1)
        return cls(given)

    def __getitem__(self, name: str) -> Limit:
        """The limit of a figure: as it was given, else its default."""
        default = DEFAULTS[name]
        if name not in self.given:
            return default
        return Limit(self.given[name], default.kind, default.worse, ROLL_BACK, default.about)

    @property
    def values(self) -> dict[str, float]:
        """All that apply, by name."""
        return {name: self[name].value for name in DEFAULTS}
