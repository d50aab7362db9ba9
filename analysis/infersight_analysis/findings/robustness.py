"""Findings of `model robustness`."""

from dataclasses import dataclass
from typing import Any

from infersight_analysis.findings.evidence import Evidence


@dataclass(frozen=True)
class SaidOtherwise:
    """An input, a variant of it, and the two answers that differ.

    Args:
        label: what the model said of the input.
        score: how sure it was, null where it does not say.
        varied_label: what it said of the variant.
        varied_score: how sure it was of that.
        trace_ids: of the two requests, where the model is an endpoint.
    """

    input: Any
    varied: Any
    label: str | float | bool
    score: float | None
    varied_label: str | float | bool
    varied_score: float | None
    trace_ids: list[str]


@dataclass(frozen=True)
class VariationResult:
    """What became of the answers under one variation.

    Args:
        variation: its name.
        about: what it does.
        inputs: how many were varied and answered; of several variants of one all must be.
        same: of how many all variants got the same answer.
        rate: `same` of `inputs`; null without any.
        low: the lower end of the rate's 95 % Wilson interval.
        high: its upper end.
        failed: inputs of which a variant got no answer; they are not among `inputs`.
        failures: how often by what: `HTTP 500`, `timed out`, the class of an exception.
        unsure: inputs whose answers differed, but did so too when both were asked again; not among `inputs` either.
        examples: of those with another answer.
    """

    variation: str
    about: str
    inputs: int
    same: int
    rate: float | None
    low: float | None
    high: float | None
    failed: int
    failures: dict[str, int]
    unsure: int
    examples: list[SaidOtherwise]


@dataclass(frozen=True)
class Repeated:
    """Whether the same input gets the same answer.

    Args:
        inputs: how many got an answer each time.
        times: how often each was asked.
        differing: of how many the answers were not all the same.
        rate: `differing` of `inputs`; null without any.
        low: the lower end of its 95 % Wilson interval.
        high: its upper end.
        failed: inputs that got no answer at some time.
        failures: how often by what.
        examples: two answers to one input.
    """

    inputs: int
    times: int
    differing: int
    rate: float | None
    low: float | None
    high: float | None
    failed: int
    failures: dict[str, int]
    examples: list[SaidOtherwise]


@dataclass(frozen=True)
class Robustness:
    """How a model answers inputs that mean the same.

    Args:
        model: as it was named.
        inputs: how many it was given.
        calls: how often it was called in all.
        seed: what the variants depend on beside the inputs.
        repeated: the same inputs, asked again.
        variations: the least consistent first.
        not_varied: the variations that change none of the inputs.
        stopped: why it ended before everything was asked; null where it did not.
        statement: the outcome in a sentence.
    """

    model: str
    inputs: int
    calls: int
    seed: int
    repeated: Repeated
    variations: list[VariationResult]
    not_varied: list[str]
    stopped: str | None
    statement: str
    evidence: Evidence
