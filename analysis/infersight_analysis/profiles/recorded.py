"""What a profiler brings home, before it is kept."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infersight_analysis.profiles.stacks import Stacks


@dataclass(frozen=True)
class Recorded:
    """A profile that was taken.

    Args:
        kind: `cpu`, `memory` or `model`.
        start_ns: when it began, nanoseconds since the epoch.
        end_ns: when it ended.
        unit: of the stacks' numbers: `samples`, `bytes` or `us`, microseconds.
        stacks: what was measured.
        original: the profiler's own file.
        suffix: the end of its name.
        rate: samples a second; None where nothing was sampled.
        note: what is to be known of it, such as that its process ended.
        others: numbers of further processes that are in it.
        operators: of a model, see `infersight._model_profile`.
    """

    kind: str
    start_ns: int
    end_ns: int
    unit: str
    stacks: Stacks
    original: Path
    suffix: str
    rate: float | None = None
    note: str | None = None
    others: tuple[int, ...] = ()
    operators: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
