"""Policies, each of which says with which probability a trace is to be kept.

A trace has one random number, uniform on [0, 1), and a policy that keeps it with probability p keeps it where that
number is below p. So any of several policies keeps it with the largest of their probabilities, all of several with the
smallest, and one divided by that is the trace's weight, by which sums over the kept traces estimate sums over all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from infersight_collector.processors.tail_sampling.conditions import (
    BooleanAttribute,
    NumericAttribute,
    Rare,
    StatusCode,
    StringAttribute,
)
from infersight_collector.processors.tail_sampling.traces import Condition, Flags, Ints, Summaries
from infersight_collector.processors.trace_ids import uniform

Probabilities: TypeAlias = npt.NDArray[np.float64]

_LEAST: Final = 2
"""Traces of a round that a rate limit takes in any case."""

_BURST_S: Final = 10.0
"""A rate limit may be used up to so many seconds later, as decisions are taken in rounds."""


@dataclass(frozen=True, slots=True)
class Round:
    """The traces that are decided together.

    Attributes:
        traces: what is known of them.
        conditions: those whose findings the summaries have, in their order.
        since: monotonic time in seconds at which they came.
    """

    traces: Summaries
    conditions: Sequence[Condition]
    since: float

    def has(self, condition: Condition) -> Flags:
        """For each trace whether the condition was found in it."""
        return self.traces.found[:, self.conditions.index(condition)]


class Rule(Protocol):
    """What a policy does."""

    def probabilities(self, this: Round, candidates: Flags) -> Probabilities:
        """With which probability each trace is kept, 0 to 1 `[traces]`.

        Args:
            this: the traces.
            candidates: those that it matters for; which these are does not depend on the traces' random numbers.
        """
        ...


class Always:
    """Keeps every trace."""

    def probabilities(self, this: Round, candidates: Flags) -> Probabilities:  # noqa: ARG002 - the interface's
        """1 for each."""
        return np.ones(len(this.traces.hashes))


@dataclass(frozen=True)
class Has:
    """Keeps the traces in which a condition was found, or was not."""

    condition: Condition
    inverted: bool = False

    def probabilities(self, this: Round, candidates: Flags) -> Probabilities:  # noqa: ARG002 - the interface's
        """1 or 0."""
        return np.where(this.has(self.condition) != self.inverted, 1.0, 0.0)


@dataclass
class Latency:
    """Keeps traces by the time from the earliest start to the latest end of their spans.

    Attributes:
        threshold_ms: traces that take so long or longer are kept.
        upper_threshold_ms: traces that take longer than that are not; 0 for no such limit.
    """

    threshold_ms: int
    upper_threshold_ms: int = 0

    def __post_init__(self) -> None:
        """Raises ValueError for a range in which nothing is."""
        if self.upper_threshold_ms and self.upper_threshold_ms < self.threshold_ms:
            raise ValueError("'upper_threshold_ms' must not be below 'threshold_ms'")

    def probabilities(self, this: Round, candidates: Flags) -> Probabilities:  # noqa: ARG002 - the interface's
        """1 or 0."""
        duration = this.traces.duration_ns
        upper = self.upper_threshold_ms * 1_000_000 or np.iinfo(np.int64).max
        return np.where((duration >= self.threshold_ms * 1_000_000) & (duration <= upper), 1.0, 0.0)


@dataclass
class Probabilistic:
    """Keeps a share of the traces.

    Attributes:
        sampling_percentage: the share in percent.
        hash_salt: collectors that are to take the same traces have the same salt, those one behind the other different
            ones; None for the salt of the whole processor.
    """

    sampling_percentage: float
    hash_salt: str | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for a share that is none."""
        if not 0 <= self.sampling_percentage <= 100:
            raise ValueError("'sampling_percentage' is a share of traces: write a number from 0 to 100")

    def probabilities(self, this: Round, candidates: Flags) -> Probabilities:  # noqa: ARG002 - the interface's
        """The share."""
        return np.full(len(this.traces.hashes), self.sampling_percentage / 100)


@dataclass
class RateLimiting:
    """Keeps traces until their spans have used up a budget; those with the smallest random numbers.

    Attributes:
        spans_per_second: the budget. What overdraws it is paid back later. Two traces of each round are kept in any
            case: from one alone, or none, nothing could be estimated (see `rate_thresholds`).
    """

    spans_per_second: int

    def __post_init__(self) -> None:
        """Raises ValueError for a rate that is none."""
        if self.spans_per_second < 1:
            raise ValueError("'spans_per_second' must be at least 1")
        self._budget = float(self.spans_per_second)
        self._filled_at: float | None = None

    def probabilities(self, this: Round, candidates: Flags) -> Probabilities:
        """The probability to be among the first ones that use up the budget, see `rate_thresholds`."""
        self._fill(this.since)
        found = np.zeros(len(candidates))
        numbers, spans = uniform(this.traces.hashes[candidates]), this.traces.spans[candidates]
        thresholds = rate_thresholds(numbers, spans, self._budget)
        self._budget -= float(spans[numbers < thresholds].sum())
        found[candidates] = thresholds
        return found

    def _fill(self, now: float) -> None:
        before = now if self._filled_at is None else self._filled_at
        self._filled_at = max(now, before)
        most = self.spans_per_second * _BURST_S
        self._budget = min(max(self._budget, -most) + self.spans_per_second * (self._filled_at - before), most)


def rate_thresholds(numbers: Probabilities, spans: Ints, budget: float) -> Probabilities:
    """For each trace the number below which its own must be for it to be taken.

    In the order of their numbers traces are taken as long as those before have not used up the budget, and the first
    two in any case. Whether that holds for a trace depends on its own number only by where that lies among the others':
    it holds below the number of that one of the others with which, without the trace itself, the budget is used up. So
    this threshold is independent of the trace's own number, and is the probability, given all others, that the trace is
    taken. One divided by it is an unbiased weight (Horvitz and Thompson; for traces of one size it is the threshold of
    priority sampling, the first number that is left out). Its variance is finite because of the second trace.

    Args:
        numbers: random numbers of the traces, uniform on [0, 1) and independent, float64 `[traces]`.
        spans: what each trace uses, at least 0, int64 `[traces]`.
        budget: in spans.

    Returns:
        thresholds, 1 where the others do not use up the budget, float64 `[traces]`.
    """
    return np.maximum(_thresholds(numbers, spans, budget), _thresholds(numbers, np.ones_like(spans), _LEAST))


def _thresholds(numbers: Probabilities, sizes: Ints, budget: float) -> Probabilities:
    order = np.argsort(numbers)
    used = np.cumsum(sizes[order])
    is_taken = used - sizes[order] < budget
    ends = np.searchsorted(used, np.where(is_taken, budget + sizes[order], budget))
    thresholds = np.empty(len(numbers))
    thresholds[order] = np.append(numbers[order], 1.0)[ends]
    return thresholds


@dataclass
class And:
    """Keeps the traces that all of several policies keep.

    Attributes:
        and_sub_policy: the policies.
    """

    and_sub_policy: list["Policy"]

    def __post_init__(self) -> None:
        """Raises ValueError where nothing is to be combined."""
        if not self.and_sub_policy:
            raise ValueError("'and_sub_policy' is empty: write the policies that all have to keep a trace")

    def probabilities(self, this: Round, candidates: Flags) -> Probabilities:
        """The smallest of theirs."""
        found = np.ones(len(candidates))
        for policy in limits_last(self.and_sub_policy):
            found = np.minimum(found, policy.rule.probabilities(this, candidates & (found > 0)))
        return found


@dataclass
class Policy:
    """One entry of `policies`: a type, and the settings under the name of the type."""

    name: str
    type: Literal[
        "always_sample",
        "latency",
        "status_code",
        "string_attribute",
        "numeric_attribute",
        "boolean_attribute",
        "probabilistic",
        "rate_limiting",
        "rare",
        "and",
    ]
    latency: Latency | None = None
    status_code: StatusCode | None = None
    string_attribute: StringAttribute | None = None
    numeric_attribute: NumericAttribute | None = None
    boolean_attribute: BooleanAttribute | None = None
    probabilistic: Probabilistic | None = None
    rate_limiting: RateLimiting | None = None
    rare: Rare | None = None
    all_of: And | None = field(default=None, metadata={"key": "and"})

    def __post_init__(self) -> None:
        """Raises ValueError where the settings are not those of the type."""
        settings = {
            "latency": self.latency,
            "status_code": self.status_code,
            "string_attribute": self.string_attribute,
            "numeric_attribute": self.numeric_attribute,
            "boolean_attribute": self.boolean_attribute,
            "probabilistic": self.probabilistic,
            "rate_limiting": self.rate_limiting,
            "rare": self.rare,
            "and": self.all_of,
        }
        given = {kind: setting for kind, setting in settings.items() if setting is not None}
        if given.keys() != {self.type} - {"always_sample"}:
            wanted = "no settings" if self.type == "always_sample" else f"the settings '{self.type}' and no others"
            raise ValueError(f"the policy '{self.name}' is of type {self.type}: give it {wanted}")
        self._setting = given.get(self.type)

    @property
    def rule(self) -> Rule:
        """What the policy does."""
        match self._setting:
            case None:
                return Always()
            case StringAttribute() as attribute:
                return Has(attribute, attribute.invert_match)
            case StatusCode() | NumericAttribute() | BooleanAttribute() | Rare() as condition:
                return Has(condition)
            case rule:
                return rule

    @property
    def parts(self) -> Iterator["Policy"]:
        """The policy itself, and those that it is made of."""
        yield self
        if self.all_of is not None:
            for part in self.all_of.and_sub_policy:
                yield from part.parts


def limits_last(policies: Sequence[Policy]) -> list[Policy]:
    """The policies in the order of evaluation: a rate limit does not spend its budget on what others decide."""
    return sorted(policies, key=lambda policy: any(part.rate_limiting for part in policy.parts))


NO_POLICY: Final = -1


class Inclusion(NamedTuple):
    """What the policies say of traces.

    Attributes:
        probability: with which any of them keeps each trace, 0 to 1, float64 `[traces]`.
        policy: the place of the one whose probability that is, the first where it is of several; `NO_POLICY` where it
            is 0; int64 `[traces]`.
    """

    probability: Probabilities
    policy: Ints


def inclusion_of(policies: Sequence[Policy], this: Round) -> Inclusion:
    """What any of the policies says of each trace."""
    found = np.zeros(len(this.traces.hashes))
    decisive = np.full(len(found), NO_POLICY)
    for policy in limits_last(policies):
        # Those that are kept for certain use nothing of a rate limit. Who they are, random numbers have no part in.
        probabilities = policy.rule.probabilities(this, found < 1)
        decisive[probabilities > found] = policies.index(policy)
        found = np.maximum(found, probabilities)
    return Inclusion(found, decisive)
