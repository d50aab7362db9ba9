"""Sums over the weights of what is kept estimate, without bias, the same sums over everything."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# pyarrow publishes no types.

import random
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.sampling import Clock, sampler_of
from tests.support.traces import Span, spans_batch

from infersight_collector.processors.tail_sampling.policies import Probabilities, rate_thresholds
from infersight_collector.processors.tail_sampling.traces import Ints

ROUNDS: Final = 150

FAILED = "{name: failed, type: status_code, status_code: {status_codes: [ERROR]}}"
SLOW = "{name: slow, type: latency, latency: {threshold_ms: 300}}"
TENTH = "{name: tenth, type: probabilistic, probabilistic: {sampling_percentage: 10}}"
RATE = "{name: rate, type: rate_limiting, rate_limiting: {spans_per_second: 40}}"
ROUTE = "{name: route, type: string_attribute, string_attribute: {key: http.route, values: [/a]}}"
RATE_OF_ROUTE = f"{{name: both, type: and, and: {{and_sub_policy: [{RATE.replace('40', '15')}, {ROUTE}, {TENTH}]}}}}"

Totals = npt.NDArray[np.float64]
"""What is estimated: spans, failed spans, spans of large traces, milliseconds."""


def traffic(rng: random.Random, first_trace: int) -> list[Span]:
    """Some 60 traces of 1 to 30 spans; the large ones are slower, and fail more often."""
    spans: list[Span] = []
    for trace in range(first_trace, first_trace + rng.randrange(40, 80)):
        size = min(int(rng.paretovariate(1.0)), 30)
        duration = round(rng.expovariate(1 / (20 * size)), 3)
        attributes = {"http.route": rng.choice(["/a", "/b"])}
        spans.append(Span(trace, duration, error=rng.random() < 0.02 * size, attributes=attributes))
        spans += [Span(trace, duration / 10, name="large" if size > 5 else "small") for _ in range(size - 1)]
    return spans


def totals(spans: Sequence[Span], weights: Sequence[float]) -> Totals:
    """The sums that an analyst would ask for, each span with its weight."""
    measures = np.array([[1.0, span.error, span.name == "large", span.duration_ms] for span in spans]).reshape(-1, 4)
    sums: Totals = np.array(weights) @ measures
    return sums


@pytest.mark.parametrize(
    "policies",
    [TENTH, RATE, f"{FAILED}, {SLOW}, {RATE}", f"{FAILED}, {TENTH}, {RATE}", f"{SLOW}, {RATE_OF_ROUTE}, {TENTH}"],
    ids=["probabilistic", "rate", "kept and rate", "all", "rate within and"],
)
def test_estimates_are_unbiased(policies: str) -> None:
    rng, clock = random.Random(20), Clock()
    sampler = sampler_of(policies, clock)
    truths: list[Totals] = []
    estimates: list[Totals] = []
    for number in range(ROUNDS):
        spans = traffic(rng, 1000 * number)
        batch = spans_batch(*spans)
        sampler.observe(batch)
        sampled = sampler.process(batch).tables["spans"]
        clock.now += rng.expovariate(1.0)
        kept = [spans[int(text, 16) - 1] for text in sampled["span_id"].to_pylist()]
        truths.append(totals(spans, [1.0] * len(spans)))
        estimates.append(totals(kept, sampled["sample_weight"].to_pylist()))
    differences = np.array(estimates) - np.array(truths)
    standard_error = differences.std(axis=0) / ROUNDS**0.5
    assert (standard_error[[0, 2, 3]] > 0).all()
    assert (np.abs(differences.mean(axis=0)) <= 3.5 * standard_error + 1e-9).all()


@pytest.mark.parametrize("budget", [1, 20, 90, 400])
def test_rates_of_traces_of_very_different_sizes_are_estimated_without_bias(budget: int) -> None:
    rng = np.random.default_rng(budget)
    spans = np.minimum(rng.pareto(1.0, 60) + 1, 60).astype(np.int64)
    measures = np.column_stack([np.ones(60), spans, spans > 5, np.arange(60) == spans.argmax()])
    numbers = rng.random((20_000, 60))
    thresholds = np.array([rate_thresholds(row, spans, budget) for row in numbers])
    estimates = np.where(numbers < thresholds, 1 / thresholds, 0.0) @ measures
    standard_error = estimates.std(axis=0) / len(numbers) ** 0.5
    truth = measures.sum(axis=0)
    assert (np.abs(estimates.mean(axis=0) - truth) <= 3.5 * standard_error + 1e-9 * truth).all()
    # The numbers of traces and of spans are known to some percent, so that a bias would show.
    assert (standard_error[:2] < 0.05 * truth[:2]).all()


sizes = st.lists(st.integers(1, 50), min_size=1, max_size=30)


def threshold_by_definition(numbers: Probabilities, spans: Ints, budget: float, trace: int) -> float:
    """The supremum of the numbers with which this trace would be taken, found by trying."""
    others = sorted((number, size) for i, (number, size) in enumerate(zip(numbers, spans, strict=True)) if i != trace)
    used = 0
    for before, (number, size) in enumerate(others):
        used += size
        if used >= budget and before >= 1:
            return float(number)
    return 1.0


@given(spans=sizes, budget=st.floats(-50, 200), seed=st.integers(0, 2**32 - 1))
def test_a_rate_threshold_is_what_the_others_leave(spans: list[int], budget: float, seed: int) -> None:
    numbers, sizes_of = np.random.default_rng(seed).random(len(spans)), np.array(spans, np.int64)
    thresholds = rate_thresholds(numbers, sizes_of, budget)
    expected = [threshold_by_definition(numbers, sizes_of, budget, trace) for trace in range(len(spans))]
    assert thresholds.tolist() == expected


@given(spans=sizes, budget=st.floats(1, 200), seed=st.integers(0, 2**32 - 1))
def test_a_rate_limit_is_used_up_and_overdrawn_by_the_last_trace_at_most(
    spans: list[int], budget: float, seed: int
) -> None:
    numbers, sizes_of = np.random.default_rng(seed).random(len(spans)), np.array(spans, np.int64)
    is_taken = numbers < rate_thresholds(numbers, sizes_of, budget)
    by_number = sizes_of[np.argsort(numbers)][: is_taken.sum()]
    assert sorted(sizes_of[is_taken]) == sorted(by_number)
    assert is_taken.all() or by_number.sum() >= budget
    assert len(by_number) <= 2 or by_number[:-1].sum() < budget


@given(spans=sizes, budget=st.floats(1, 200), seed=st.integers(0, 2**32 - 1), other=st.floats(0, 1, exclude_max=True))
def test_a_threshold_does_not_depend_on_the_traces_own_number(
    spans: list[int], budget: float, seed: int, other: float
) -> None:
    numbers, sizes_of = np.random.default_rng(seed).random(len(spans)), np.array(spans, np.int64)
    before = rate_thresholds(numbers, sizes_of, budget)[0]
    numbers[0] = other
    assert rate_thresholds(numbers, sizes_of, budget)[0] == before
