"""Old mistakes, asked again: which are mended, which are not, and which became others."""

import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any, Final

from infersight_analysis.errors import AnalysisError
from infersight_analysis.findings import Evidence, Regression, RegressionCase, RegressionSlice
from infersight_analysis.models.answers import Answer, are_same
from infersight_analysis.models.inputs import shown
from infersight_analysis.models.kinds import is_object
from infersight_analysis.models.model import Model, ModelGoneError, Reply
from infersight_analysis.robustness.testing import INTERRUPTED
from infersight_analysis.stored import literal

_TRACES: Final = 20
FIXED: Final = "fixed"


@dataclass(frozen=True)
class _Case:
    """A line that can be asked."""

    line: int
    given: Any
    label_true: str
    before: str | None
    slice: str | None
    prediction_id: str | None
    trace_id: str | None


def rerun(
    model: Model,
    lines: Iterable[Any],
    file: str,
    *,
    tolerance: float | None = None,
    tick: Callable[[], None] = lambda: None,
) -> Regression:
    """Ask a model what it, or another one, had answered wrongly.

    Args:
        model: what is asked.
        lines: objects with `input` and `label_true`, and where they are known `label` (the wrong one), `slice`,
            `prediction_id` and `trace_id`.
        file: where they are from.
        tolerance: how far from the right number an answer that is a number may be.
        tick: called once a reply.

    Raises:
        AnalysisError: a line is no object, or answers are numbers and there is no tolerance.
    """
    every = list(lines)
    cases = [case for number, line in enumerate(every, 1) if (case := _case(number, line)) is not None]
    replies, stopped = _replies(model, cases, tick)
    outcomes = [(case, reply, _outcome(case, reply, tolerance)) for case, reply in zip(cases, replies, strict=False)]
    counts = Counter(outcome for _, _, outcome in outcomes)
    without_input = sum(line.get("input") is None for line in every)
    failing = [_failing(*each) for each in outcomes if each[2] != FIXED]
    traces = [trace for case in failing for trace in case.trace_ids]
    return Regression(
        model=model.name,
        file=file,
        lines=len(every),
        asked=len(outcomes),
        fixed=counts[FIXED],
        still_wrong=counts["still_wrong"],
        newly_wrong=counts["newly_wrong"],
        failed=counts["failed"],
        without_input=without_input,
        without_label=len(every) - len(cases) - without_input,
        slices=_slices(outcomes),
        failing=failing,
        stopped=stopped,
        statement=_statement(len(outcomes), counts),
        evidence=Evidence(traces[:_TRACES], _queries(failing), {"calls": model.calls}),
    )


def _case(number: int, line: Any) -> _Case | None:
    if not is_object(line):
        raise AnalysisError(f"line {number} is no object with an input and a label_true: {str(line)[:80]!r}")
    if line.get("input") is None or line.get("label_true") is None:
        return None
    texts = {name: _text(line.get(name)) for name in ("label", "slice", "prediction_id", "trace_id")}
    return _Case(number, line["input"], str(line["label_true"]), texts.pop("label"), **texts)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _replies(model: Model, cases: Sequence[_Case], tick: Callable[[], None]) -> tuple[list[Reply], str | None]:
    """The replies to the cases, as many as there are before it has to stop, and why it did."""
    replies: list[Reply] = []
    with redirect_stdout(sys.stderr):  # what a model prints is no part of the report
        try:
            for reply in model.each(case.given for case in cases):
                replies.append(reply)
                tick()
        except KeyboardInterrupt:
            return replies, INTERRUPTED
        except ModelGoneError as error:
            return replies, str(error)
    return replies, None


def _outcome(case: _Case, reply: Reply, tolerance: float | None) -> str:
    if reply.answer is None:
        return "failed"
    if _is(reply.answer, case.label_true, tolerance):
        return FIXED
    is_known = case.before is None or _is(reply.answer, case.before, tolerance)
    return "still_wrong" if is_known else "newly_wrong"


def _is(answer: Answer, label: str, tolerance: float | None) -> bool:
    """Whether an answer is a label, which is kept as text."""
    if answer.is_number:
        try:
            return are_same(answer, Answer(float(label)), tolerance)
        except ValueError:
            return False
    return str(answer.label) == label


def _failing(case: _Case, reply: Reply, outcome: str) -> RegressionCase:
    return RegressionCase(
        line=case.line,
        outcome=outcome,
        input=shown(case.given),
        label_true=case.label_true,
        before=case.before,
        now=None if reply.answer is None else str(reply.answer.label),
        score=None if reply.answer is None else reply.answer.score,
        failure=None if reply.failure is None else str(reply.failure),
        slice=case.slice,
        prediction_id=case.prediction_id,
        trace_ids=[trace for trace in (case.trace_id, reply.trace_id) if trace],
    )


def _slices(outcomes: Iterable[tuple[_Case, Reply, str]]) -> list[RegressionSlice]:
    from infersight_analysis.stats.proportions import wilson  # noqa: PLC0415 - loads SciPy

    by_slice: defaultdict[str | None, list[str]] = defaultdict(list)
    for case, _, outcome in outcomes:
        by_slice[case.slice].append(outcome)

    def found() -> Iterator[RegressionSlice]:
        for name, of_slice in by_slice.items():
            fixed = of_slice.count(FIXED)
            yield RegressionSlice(name, len(of_slice), fixed, fixed / len(of_slice), *wilson(fixed, len(of_slice)))

    return sorted(found(), key=lambda each: (each.rate, -each.cases))


def _statement(asked: int, counts: Counter[str]) -> str:
    if not asked:
        return "nothing could be asked"
    wrong = {"still_wrong": "still wrong", "newly_wrong": "wrong in another way", "failed": "without an answer"}
    rest = [f"{counts[outcome]} {words}" for outcome, words in wrong.items() if counts[outcome]]
    return ", ".join([f"{counts[FIXED]} of {asked} fixed", *rest])


def _queries(failing: Sequence[RegressionCase]) -> list[str]:
    ids = [literal(case.prediction_id) for case in failing if case.prediction_id][:_TRACES]
    return [f"from predictions where prediction_id in ({', '.join(ids)}) order by time"] if ids else []
