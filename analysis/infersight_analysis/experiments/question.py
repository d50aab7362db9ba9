"""What is asked about an experiment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from infersight_analysis.errors import AnalysisError
from infersight_analysis.experiments.metrics import Metric
from infersight_analysis.options import Window

BASELINES: Final = ("control", "baseline", "a", "off", "false", "0", "default", "champion", "current", "old", "stable")
"""Names of variants that are taken for the baseline, whatever their case, where none is said."""

MOST_ARMS: Final = 20


@dataclass(frozen=True)
class Question:
    """An experiment, and what to measure of it.

    Args:
        variant: the key of the feature flag, the attribute, or the column that says the variant; None where there is
            no experiment yet, and all is one arm.
        metrics: what is measured; the first one decides, guardrails only veto.
        unit: the attribute or column of whom the variant was assigned to; by default the flag's context or the user
            where there is one, else the exposure itself.
        baseline: the variant that the others are compared with.
        split: the share of each variant as it was meant, in any unit; equal shares by default.
        segments: attributes or columns that were there before the variant; others of few values are looked at as well.
        after: attributes or columns that the variant may change, which are not looked at.
        confidence: of intervals; one less it is how often a difference may be called one that is none.
        power: how often a difference that matters should be found.
        is_fixed: whether to decide by the figures of a fixed horizon, right for one look at the planned size only.
        service: only requests of this service.
        route: only this route, or span name.
        model: only requests in which this model was called.
        window: when the requests began.
        pre_period_ns: how long before the first exposure to look for the units' earlier values.
        time: in a table, the column that says when.
        covariates: in a table, the column with each unit's value from before the experiment, by the metric's `value`.
    """

    variant: str | None
    metrics: tuple[Metric, ...]
    unit: str | None = None
    baseline: str | None = None
    split: Mapping[str, float] = field(default_factory=dict[str, float])
    segments: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    confidence: float = 0.95
    power: float = 0.8
    is_fixed: bool = False
    service: str | None = None
    route: str | None = None
    model: str | None = None
    window: Window = Window()  # noqa: RUF009 - immutable
    pre_period_ns: int = 0
    time: str | None = None
    covariates: Mapping[str, str] = field(default_factory=dict[str, str])

    def shares(self, arms: Sequence[str]) -> list[float]:
        """The share of the units that each arm was to get."""
        parts = [self.split.get(arm, 1.0) for arm in arms]
        return [part / sum(parts) for part in parts]

    def arms(self, names: list[str]) -> tuple[str, ...]:
        """The variants in their order, the baseline first.

        Args:
            names: those that occur.

        Raises:
            AnalysisError: there are fewer than two, or the baseline is none of them.
        """
        found = sorted(set(names))
        if self.variant is None:
            return tuple(found)
        if len(found) < 2:
            have = f"only {found[0]!r}" if found else "none"
            raise AnalysisError(f"an experiment has two variants at least; of {self.variant} there is {have} here")
        if len(found) > MOST_ARMS:
            raise AnalysisError(f"{self.variant} has {len(found):,} values: those are no variants of an experiment")
        if self.baseline is not None and self.baseline not in found:
            raise AnalysisError(f"no variant {self.baseline!r}; there are {', '.join(found)}")
        if self.split and set(self.split) != set(found):
            raise AnalysisError(f"the split names {', '.join(self.split)}; the variants are {', '.join(found)}")
        usual = {name.lower(): name for name in reversed(found)}
        named = next((usual[name] for name in BASELINES if name in usual), found[0])
        first = named if self.baseline is None else self.baseline
        return (first, *(name for name in found if name != first))


def split_of(text: str) -> dict[str, float]:
    """Shares of variants as they are written: `A=90,B=10`.

    Raises:
        AnalysisError: it is none.
    """
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, equals, number = part.rpartition("=")
        try:
            shares[name.strip()] = float(number)
        except ValueError:
            equals = ""
        if not equals or not name.strip() or not 0 < shares.get(name.strip(), 0) < float("inf"):
            raise AnalysisError(f"a split is written as A=90,B=10, not {text!r}")
    return shares
