"""Findings of `model validate`."""

from dataclasses import dataclass
from typing import Any

from infersight_analysis.findings.evidence import Evidence


@dataclass(frozen=True)
class InputViolation:
    """An input that breaks a rule.

    Args:
        place: the number of the input in a file, from 1 on; null of a stored prediction.
        input: the input, shortened; null of a stored prediction, whose input is only characterised.
        found: what was found in the place of what is expected.
        prediction_id: of a stored prediction.
        trace_id: of its request.
    """

    place: int | None
    input: Any
    found: str
    prediction_id: str | None
    trace_id: str | None


@dataclass(frozen=True)
class RuleResult:
    """What became of inputs under one rule.

    Args:
        check: the argument of `infersight.validate_input` that says it.
        expected: what is asked for.
        judged: inputs of which it can be told.
        broken: how many of them break it.
        unknown: inputs of which it cannot be told, because their characterisation does not say it.
        examples: the first that break it.
    """

    check: str
    expected: str
    judged: int
    broken: int
    unknown: int
    examples: list[InputViolation]


@dataclass(frozen=True)
class ReportedViolation:
    """What a service's own calls of `infersight.validate_input` reported.

    Args:
        service: which one.
        input: what the application calls the input.
        check: the rule that was broken.
        expected: what was asked for.
        count: how often.
        found: what was found the last time.
        trace_ids: of the last requests.
    """

    service: str | None
    input: str | None
    check: str
    expected: str
    count: int
    found: str
    trace_ids: list[str]


@dataclass(frozen=True)
class Validation:
    """Inputs, held against rules.

    Args:
        source: where the inputs are from.
        inputs: how many there are.
        sampled: of how many only a part of the elements was looked at when they were characterised.
        rules: the most broken first.
        reported: what services found themselves, the most frequent first.
        statement: the outcome in a sentence.
    """

    source: str
    inputs: int
    sampled: int
    rules: list[RuleResult]
    reported: list[ReportedViolation]
    statement: str
    evidence: Evidence
