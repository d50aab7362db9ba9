"""What an experiment measures: a value of each observation, the statistic of it, and what difference of it matters."""

import re
from dataclasses import dataclass, replace
from typing import Final, Self

from infersight_analysis.errors import AnalysisError
from infersight_analysis.times import parse_duration, short_duration

DURATION: Final = "duration"
_LOWER_IS_BETTER: Final = frozenset({"errors", DURATION, "prediction_errors", "entropy"})
_STATISTICS: Final = {"errors": "rate", "accuracy": "rate", "prediction_errors": "rate", DURATION: "p95"}
"""The statistic of values that we know, where none is said."""

_PERCENTILE: Final = re.compile(r"p(\d{1,2}(?:\.\d+)?)")
_NUMBER: Final = re.compile(r"(\d+(?:\.\d+)?)(%|pp)?")


@dataclass(frozen=True)
class Margin:
    """A size of an effect.

    Args:
        amount: as a share of the baseline's value where it is relative, else in the metric's own unit; not negative.
        is_relative: whether it is relative.
    """

    amount: float
    is_relative: bool

    @classmethod
    def of(cls, text: str) -> Self:
        """A margin as it is written: `5%` of the baseline, `2pp` (percentage points), `20ms`, `0.3`.

        Raises:
            AnalysisError: it is none.
        """
        number = _NUMBER.fullmatch(text.strip())
        if number is None:
            return cls(float(parse_duration(text)), is_relative=False)
        return cls(float(number[1]) / (100 if number[2] else 1), is_relative=number[2] == "%")

    def absolute(self, baseline: float) -> float:
        """It in the metric's own unit.

        Args:
            baseline: the baseline's value of the metric.
        """
        return self.amount * abs(baseline) if self.is_relative else self.amount


@dataclass(frozen=True)
class Metric:
    """What is compared between the arms.

    Args:
        value: `errors` (whether a request failed), `duration`, of predictions `accuracy`, `confidence`, `entropy`,
            `label=CLASS`, `label_true=CLASS` or `prediction_errors`; or an attribute or column.
        statistic: `rate`, `mean`, `median`, a percentile as `p95`, `any` (the share of units that had it at least
            once), or `ratio`; None until the values tell: rates of what is only 0 and 1, means of anything else.
        divisor: of a ratio, what the sum of the values is divided by the sum of.
        higher_is_better: whether more is better.
        matters: the least effect that matters; of a guardrail, how much worse is still good.
        is_guardrail: whether it must only not become worse.
        is_duration: whether its values are nanoseconds.
    """

    value: str
    statistic: str | None = None
    divisor: str | None = None
    higher_is_better: bool = True
    matters: Margin | None = None
    is_guardrail: bool = False
    is_duration: bool = False

    @classmethod
    def of(cls, text: str, *, is_guardrail: bool = False) -> Self:
        """A metric as it is written: `VALUE[,STATISTIC][,lower|higher][,matters=MARGIN]`, or `VALUE/DIVISOR,...`.

        Raises:
            AnalysisError: it is none.
        """
        value, *words = (part.strip() for part in text.split(","))
        value, slash, divisor = value.partition("/")
        if not value or (slash and not divisor):
            raise AnalysisError(f"a metric begins with what is measured, not {text!r}")
        found = cls(
            value,
            "ratio" if slash else _STATISTICS.get(value, "rate" if "=" in value else None),
            divisor or None,
            higher_is_better=value not in _LOWER_IS_BETTER,
            is_guardrail=is_guardrail,
        )
        for word in words:
            if word in {"lower", "higher"}:
                found = replace(found, higher_is_better=word == "higher")
            elif word.startswith("matters="):
                found = replace(found, matters=Margin.of(word.removeprefix("matters=")))
            elif not slash and (word in {"rate", "mean", "median", "any"} or _PERCENTILE.fullmatch(word)):
                found = replace(found, statistic=word)
            else:
                raise AnalysisError(
                    f"{word!r} in {text!r} is none of rate, mean, median, p95, any, lower, higher, matters=5%"
                )
        return found

    @property
    def measured(self) -> str:
        """What is measured, whatever the statistic of it."""
        return self.value if self.divisor is None else f"{self.value}/{self.divisor}"

    @property
    def name(self) -> str:
        """What it is called."""
        return self.measured if self.statistic in {None, "rate", "ratio"} else f"{self.measured} {self.statistic}"

    @property
    def quantile(self) -> float | None:
        """Of a median or percentile, which quantile."""
        if self.statistic == "median":
            return 0.5
        percentile = _PERCENTILE.fullmatch(self.statistic or "")
        return float(percentile[1]) / 100 if percentile else None

    @property
    def is_share(self) -> bool:
        """Whether it is a share of observations or units, between 0 and 1."""
        return self.statistic in {"rate", "any"}

    @property
    def unit(self) -> str:
        """What its values are in: `ns`, `share` or nothing."""
        if self.is_duration:
            return "ns"
        return "share" if self.is_share else ""


def shown(value: float, unit: str, *, signed: bool = False) -> str:
    """A metric's value, or a difference of two, for people.

    Args:
        value: the value.
        unit: of the metric, see `Metric.unit`.
        signed: whether to show a plus sign; a share is then in percentage points.
    """
    plus = "+" if signed and value > 0 else ""
    if unit == "ns":
        return plus + short_duration(value)
    if unit == "share":
        return f"{plus}{100 * value:.3g}{' pp' if signed else ' %'}"
    return f"{plus}{value:,.4g}"
