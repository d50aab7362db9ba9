"""How a model answers inputs that mean the same: what was measured, as a finding."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from infersight_analysis.destination import replaced
from infersight_analysis.errors import AnalysisError
from infersight_analysis.findings import Evidence, Repeated, Robustness, SaidOtherwise, VariationResult
from infersight_analysis.models.answers import Answer, Label
from infersight_analysis.models.inputs import shown
from infersight_analysis.models.kinds import as_json
from infersight_analysis.models.model import Model
from infersight_analysis.robustness.testing import INTERRUPTED, Difference, Measured, Session, Tally
from infersight_analysis.robustness.variations import Kind, Variation, chosen, kind_of
from infersight_analysis.stored import literal

_EXAMPLES: Final = 10
_TRACES: Final = 20


def measured_robustness(
    model: Model,
    inputs: Sequence[Any],
    *,
    variations: Sequence[str] = (),
    fields: Sequence[str] = (),
    noise: float = 0.01,
    times: int = 3,
    tolerance: float | None = None,
    seed: int = 0,
    tick: Callable[[], None] = lambda: None,
) -> tuple[Robustness, list[tuple[str, Difference]]]:
    """Ask a model the same in many ways.

    Args:
        model: what is asked.
        inputs: what it is asked: texts, numbers in lists, records, or arrays of NumPy.
        variations: their names or families; all without any.
        fields: of records, the fields that are varied; all numbers and all texts of several words without any.
        noise: the standard deviation of the noise on numbers, as a share of each.
        times: how often each input is asked as it is, two or more.
        tolerance: how far apart two answers that are numbers may be and still be the same.
        seed: the variants are the same for the same seed and inputs.
        tick: called once a reply.

    Returns:
        the finding, and every difference with the variation that makes it.

    Raises:
        AnalysisError: there is no input, no input got an answer, a variation is none, or the answers are numbers and
            there is no tolerance.
    """
    if not inputs:
        raise AnalysisError("there is no input")
    tried = chosen(variations, fields, noise, in_batches=model.batch_size is not None)
    session = Session(model, inputs, times=times, tolerance=tolerance, seed=seed, tick=tick)
    measured = session.measure(tried)
    if not measured.repeated.inputs and measured.stopped != INTERRUPTED:
        raise AnalysisError(
            f"no input got an answer, of {model.calls} calls: {measured.stopped or measured.first_failure}"
        )
    tallies = measured.variations.items()
    differences = [(name, each) for name, (_, tally) in tallies for each in tally.differences]
    kinds: set[Kind] = {kind_of(given) for given in inputs}
    return _finding(model, measured, inputs=len(inputs), kinds=kinds, seed=seed), differences


def write_regressions(path: Path, found: Sequence[tuple[str, Difference]]) -> None:
    """Write differences as a regression set: the variants, with what the model said of the inputs as their label.

    Args:
        path: of the file, JSON lines.
        found: variations and differences.

    Raises:
        AnalysisError: it cannot be written.
    """
    with replaced(path) as file:
        for variation, each in found:
            own, other = each.reply.answer, each.varied_reply.answer
            if own is None or other is None:
                continue
            line = {
                "input": as_json(each.varied),
                "label_true": _said_label(own),
                "label": _said_label(other),
                "confidence": other.score,
                "prediction_id": None,
                "trace_id": each.varied_reply.trace_id,
                "slice": variation,
            }
            file.write(f"{json.dumps(line, ensure_ascii=False)}\n".encode("utf-8", "replace"))


def _finding(model: Model, measured: Measured, *, inputs: int, kinds: set[Kind], seed: int) -> Robustness:
    results = [_result(*each) for each in measured.variations.values() if _is_tried(each[1])]
    results.sort(key=lambda each: (each.rate is not None, each.rate, -each.inputs))
    traces = [trace for result in results for example in result.examples for trace in example.trace_ids]
    untried = [each for each, tally in measured.variations.values() if not _is_tried(tally) and kinds & set(each.kinds)]
    repeated = _repeated(measured.repeated)
    return Robustness(
        model=model.name,
        inputs=inputs,
        calls=model.calls,
        seed=seed,
        repeated=repeated,
        variations=results,
        not_varied=[] if measured.stopped or not measured.repeated.same else [each.name for each in untried],
        stopped=measured.stopped,
        statement=_statement(repeated, results),
        evidence=Evidence(traces[:_TRACES], _queries(traces[:_TRACES]), {"calls": model.calls}),
    )


def _is_tried(tally: Tally) -> bool:
    return tally.inputs + tally.failed + tally.unsure > 0


def _result(variation: Variation, tally: Tally) -> VariationResult:
    rate, low, high = _share(tally.same, tally.inputs)
    return VariationResult(
        variation=variation.name,
        about=variation.about,
        inputs=tally.inputs,
        same=tally.same,
        rate=rate,
        low=low,
        high=high,
        failed=tally.failed,
        failures=dict(tally.failures),
        unsure=tally.unsure,
        examples=[_said(each) for each in tally.differences[:_EXAMPLES]],
    )


def _repeated(tally: Tally) -> Repeated:
    differing = len(tally.differences)
    examples = [_said(each) for each in tally.differences[:_EXAMPLES]]
    failures = dict(tally.failures)
    return Repeated(
        tally.inputs, tally.times, differing, *_share(differing, tally.inputs), tally.failed, failures, examples
    )


def _share(count: int, of: int) -> tuple[float | None, float | None, float | None]:
    """A share with its interval; of none there is none."""
    from infersight_analysis.stats.proportions import wilson  # noqa: PLC0415 - loads SciPy

    return (count / of, *wilson(count, of)) if of else (None, None, None)


def _said(each: Difference) -> SaidOtherwise:
    own, other = each.reply.answer, each.varied_reply.answer
    if own is None or other is None:
        raise ValueError("a difference is one of answers")
    return SaidOtherwise(
        input=shown(each.given),
        varied=shown(each.varied),
        label=_said_label(own),
        score=own.score,
        varied_label=_said_label(other),
        varied_score=other.score,
        trace_ids=[reply.trace_id for reply in (each.reply, each.varied_reply) if reply.trace_id],
    )


def _said_label(answer: Answer) -> Label:
    """A label as JSON can say it."""
    is_finite = not isinstance(answer.label, float) or math.isfinite(answer.label)
    return answer.label if is_finite else str(answer.label)


def _statement(repeated: Repeated, results: Sequence[VariationResult]) -> str:
    said: list[str] = []
    if repeated.differing:
        said.append(f"{repeated.differing} of {repeated.inputs} inputs got different answers when asked again")
    changed = [each for each in results if each.same < each.inputs]
    if changed:
        worst = changed[0]
        said.append(
            f"{len(changed)} of {len(results)} variations change answers, {worst.variation} most: "
            f"{worst.inputs - worst.same} of {worst.inputs}"
        )
    elif any(each.inputs for each in results):
        said.append(f"no answer changes under {len(results)} variations")
    failed = sum(sum(each.failures.values()) for each in results) + sum(repeated.failures.values())
    if failed:
        said.append(f"{failed} calls failed")
    return "; ".join(said) or "nothing was measured"


def _queries(traces: Sequence[str]) -> list[str]:
    if not traces:
        return []
    return [f"from predictions where trace_id in ({', '.join(map(literal, traces))}) order by time"]
