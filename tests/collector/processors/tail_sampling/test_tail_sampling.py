"""One decision for everything of a trace, taken when the time has come, and followed from then on."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportPrivateUsage=false
# pyarrow publishes no types.

from pathlib import Path

import pytest
from tests.support.sampling import Clock, kept, sampler_of, weights_of
from tests.support.traces import (
    Span,
    batch_of,
    exemplars_request,
    logs_request,
    spans_batch,
    spans_request,
    trace_id,
)

from infersight_collector.component import LookAhead, Startable, Surroundings
from infersight_collector.processors.tail_sampling import TailSampling
from infersight_collector.signals import Signal
from infersight_collector.store.errors import StoreUnavailable
from infersight_collector.telemetry import Telemetry

FAILED = "{name: failed, type: status_code, status_code: {status_codes: [ERROR]}}"
HALF = "{name: half, type: probabilistic, probabilistic: {sampling_percentage: 50}}"
FEW = "{name: few, type: rate_limiting, rate_limiting: {spans_per_second: 3}}"


def started(policies: str, directory: Path, settings: str = "") -> TailSampling:
    sampler = sampler_of(policies, settings=settings)
    sampler.start(Surroundings(directory, Telemetry()))
    return sampler


def test_it_has_the_abilities_that_the_pipeline_looks_for() -> None:
    sampler = sampler_of(FAILED, settings="decision_wait: 7s")
    assert isinstance(sampler, LookAhead)
    assert isinstance(sampler, Startable)
    assert sampler.lookahead_s == 7.0


def test_a_decision_takes_all_spans_into_account_that_came_during_the_wait() -> None:
    sampler = sampler_of(FAILED)
    first, second = spans_batch(Span(1), Span(2)), spans_batch(Span(1, error=True))
    sampler.observe(first)
    sampler.observe(second)
    assert set(weights_of(sampler.process(first))) == {trace_id(1)}
    assert set(weights_of(sampler.process(second))) == {trace_id(1)}


def test_what_comes_later_follows_the_decision() -> None:
    sampler = sampler_of(FAILED)
    assert kept(sampler, Span(1, error=True), Span(2)) == {1: 1.0}
    assert kept(sampler, Span(1), Span(2, error=True)) == {1: 1.0}


def test_logs_and_exemplars_go_with_their_trace_and_data_points_stay() -> None:
    sampler = sampler_of(FAILED)
    batches = [
        spans_batch(Span(1, error=True), Span(2)),
        batch_of(Signal.LOGS, logs_request(1, 2, 1)),
        batch_of(Signal.METRICS, exemplars_request(1, 2)),
    ]
    sampler.observe(batches[0])
    # In whichever order the pipelines come.
    metrics, logs, spans = (sampler.process(batch) for batch in reversed(batches))
    assert spans.tables["spans"]["trace_id"].to_pylist() == [trace_id(1)]
    assert logs.tables["logs"]["trace_id"].to_pylist() == [trace_id(1)] * 2
    assert metrics.tables["exemplars"]["trace_id"].to_pylist() == [trace_id(1)]
    assert metrics.tables["metrics"]["value"].to_pylist() == [2.0]


def test_spans_and_logs_carry_one_weight_multiplied_with_that_of_the_head_sampler() -> None:
    sampler = sampler_of(HALF)
    spans = [Span(number, weight=10.0 if number % 2 else None) for number in range(100)]
    batch = spans_batch(*spans)
    sampler.observe(batch)
    weights = weights_of(sampler.process(batch))
    assert {weight for number in range(100) for weight in weights.get(trace_id(number), ())} == {2.0, 20.0}
    logs = weights_of(sampler.process(batch_of(Signal.LOGS, logs_request(*range(100)))), "logs")
    assert set(logs) == set(weights)
    assert {weight for found in logs.values() for weight in found} == {2.0}


def test_log_records_pass_without_a_trace_and_of_traces_that_have_no_span() -> None:
    sampler = sampler_of(FAILED)
    logs = batch_of(Signal.LOGS, logs_request(None, 7))
    assert sampler.process(logs) is logs
    # Nothing was decided by it: the spans are what policies look at.
    assert kept(sampler, Span(7)) == {}
    assert weights_of(sampler.process(logs), "logs") == {None: {1.0}}


def test_a_batch_of_which_everything_is_kept_stays_as_it_came() -> None:
    sampler = sampler_of(FAILED)
    batch = spans_batch(Span(1, error=True), Span(2, error=True))
    sampler.observe(batch)
    assert sampler.process(batch) is batch


def test_a_batch_of_which_nothing_is_kept_has_no_rows_and_no_requests() -> None:
    sampler = sampler_of(FAILED)
    batch = spans_batch(Span(1))
    sampler.observe(batch)
    sampled = sampler.process(batch)
    assert sampled.tables["spans"].num_rows == 0
    assert sampled.requests == ()


def test_spans_without_a_trace_id_pass() -> None:
    sampler = sampler_of(FAILED)
    request = spans_request([Span(1), Span(2)]).replace(bytes.fromhex(trace_id(1)), bytes(16))
    batch = batch_of(Signal.TRACES, request)
    sampler.observe(batch)
    assert sampler.process(batch).tables["spans"]["trace_id"].to_pylist() == [None]


def test_an_empty_batch_passes() -> None:
    sampler = sampler_of(FAILED)
    batch = spans_batch()
    sampler.observe(batch)
    assert sampler.process(batch) is batch


def test_processing_a_batch_again_decides_the_same() -> None:
    sampler = sampler_of(FEW)
    batch = spans_batch(*[Span(number) for number in range(100)])
    sampler.observe(batch)
    first = sampler.process(batch).tables["spans"]
    assert first.num_rows == 3
    assert sampler.process(batch).tables["spans"].equals(first)


def test_traces_that_came_together_share_a_budget_whichever_signal_comes_first() -> None:
    sampler = sampler_of(FEW, settings="decision_wait: 1s")
    spans = spans_batch(*[Span(number) for number in range(100)])
    sampler.observe(spans)
    assert isinstance(sampler.clock, Clock)
    sampler.clock.now += 1
    logs = weights_of(sampler.process(batch_of(Signal.LOGS, logs_request(*range(50)))), "logs")
    found = weights_of(sampler.process(spans))
    assert len(found) == 3
    assert set(logs) <= set(found)


def test_a_delivery_that_was_held_up_has_the_budget_of_the_time_that_it_is_about() -> None:
    sampler = sampler_of(FEW, clock := Clock(), "decision_wait: 1s")
    batches = [spans_batch(*[Span(number) for number in range(first, first + 50)]) for first in range(0, 500, 50)]
    for batch in batches:
        sampler.observe(batch)
        clock.now += 1
    clock.now += 600
    assert [len(weights_of(sampler.process(batch))) for batch in batches] == [3] * 10


def test_beyond_num_traces_the_oldest_are_decided_by_what_was_seen_of_them() -> None:
    sampler = sampler_of(FAILED, settings="num_traces: 10")
    first = spans_batch(Span(1), Span(2, error=True))
    sampler.observe(first)
    sampler.observe(spans_batch(*[Span(number) for number in range(3, 12)]))
    assert len(sampler._waiting) == 10
    # Too late for trace 1, the oldest; in time for the others.
    late = spans_batch(Span(1, error=True), Span(11, error=True))
    sampler.observe(late)
    assert set(weights_of(sampler.process(first))) == {trace_id(2)}
    assert set(weights_of(sampler.process(late))) == {trace_id(11)}


def test_nothing_is_remembered_of_a_trace_but_its_decision() -> None:
    sampler = sampler_of(FAILED)
    for first in range(0, 5000, 100):
        kept(sampler, *[Span(number) for number in range(first, first + 100)])
    assert len(sampler._waiting) == 0
    assert len(sampler._waiting._since) == 1024


def test_a_trace_whose_decision_was_forgotten_is_decided_by_its_spans_at_hand() -> None:
    sampler = sampler_of(FAILED)
    batch = spans_batch(Span(1, error=True), Span(2))
    assert set(weights_of(sampler.process(batch))) == {trace_id(1)}
    assert kept(sampler, Span(1), Span(2, error=True)) == {1: 1.0}


def test_the_next_process_decides_the_same_about_what_was_settled(tmp_path: Path) -> None:
    batch = spans_batch(*[Span(number) for number in range(200)])
    first = started(FEW, tmp_path)
    first.observe(batch)
    kept_rows = first.process(batch).tables["spans"]
    first.settle()
    second = started(FEW, tmp_path)
    second.observe(batch)
    assert len(second._waiting) == 0
    assert second.process(batch).tables["spans"].equals(kept_rows)


def test_decisions_that_cannot_be_kept_hold_the_delivery_up(tmp_path: Path) -> None:
    sampler = started(HALF, tmp_path / "own")
    kept(sampler, Span(1))
    (tmp_path / "own").rmdir()
    with pytest.raises(StoreUnavailable):
        sampler.settle()
