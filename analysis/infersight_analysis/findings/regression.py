"""Findings of `model regress`."""

from dataclasses import dataclass
from typing import Any

from infersight_analysis.findings.evidence import Evidence


@dataclass(frozen=True)
class RegressionCase:
    """An old mistake that is none the better.

    Args:
        line: of the file, from 1 on.
        outcome: `still_wrong` (the same mistake), `newly_wrong` (another one) or `failed` (no answer).
        label_true: what is right.
        before: what was said then.
        now: what is said now; null where there is no answer.
        score: how sure the model is of it, null where it does not say.
        failure: why there is no answer.
        slice: what the mistake is an example of.
        prediction_id: of the prediction then.
        trace_ids: of the request then and of the one now, where they are known.
    """

    line: int
    outcome: str
    input: Any
    label_true: str
    before: str | None
    now: str | None
    score: float | None
    failure: str | None
    slice: str | None
    prediction_id: str | None
    trace_ids: list[str]


@dataclass(frozen=True)
class RegressionSlice:
    """How many of a slice's mistakes are mended.

    Args:
        slice: its name; null for those without one.
        cases: how many were asked.
        fixed: how many are right now.
        rate: `fixed` of `cases`.
        low: the lower end of the rate's 95 % Wilson interval.
        high: its upper end.
    """

    slice: str | None
    cases: int
    fixed: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class Regression:
    """What a model says now of what was answered wrongly before.

    Args:
        model: as it was named.
        file: of the mistakes.
        lines: how many it has.
        asked: how many of them were asked.
        fixed: how many are right now.
        still_wrong: how many have the same mistake.
        newly_wrong: how many have another one.
        failed: how many got no answer.
        without_input: lines that cannot be asked, because the input was not kept; they count nowhere else.
        without_label: lines of which nobody said what is right; they count nowhere else.
        slices: the least mended first.
        failing: the cases that are not fixed, in the order of the file.
        stopped: why it ended before everything was asked; null where it did not.
        statement: the outcome in a sentence.
    """

    model: str
    file: str
    lines: int
    asked: int
    fixed: int
    still_wrong: int
    newly_wrong: int
    failed: int
    without_input: int
    without_label: int
    slices: list[RegressionSlice]
    failing: list[RegressionCase]
    stopped: str | None
    statement: str
    evidence: Evidence
