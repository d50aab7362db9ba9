"""What the tail sampler tells of its decisions, in the collector's own metrics."""

from pathlib import Path

from tests.support.sampling import sampler_of, weights_of
from tests.support.traces import Span, spans_batch

from infersight_collector.component import Surroundings
from infersight_collector.processors.tail_sampling import TailSampling
from infersight_collector.telemetry import Telemetry

FAILED = "{name: failed, type: status_code, status_code: {status_codes: [ERROR]}}"
HALF = "{name: half, type: probabilistic, probabilistic: {sampling_percentage: 50}}"


def started(policies: str, directory: Path, settings: str = "") -> tuple[TailSampling, Telemetry]:
    sampler, telemetry = sampler_of(policies, settings=settings), Telemetry()
    sampler.start(Surroundings(directory / "tail_sampling", telemetry))
    return sampler, telemetry


def told(telemetry: Telemetry, name: str) -> dict[tuple[str, ...], float]:
    """The series of a metric by the values of their attributes but the processor's."""
    (family,) = (
        family
        for instrument, family in telemetry.collect()
        if instrument.name == f"infersight.collector.tail_sampling.{name}"
    )
    assert {sample.labels["processor"] for sample in family.samples} <= {"tail_sampling"}
    return {tuple(sample.labels.values())[1:]: sample.value for sample in family.samples}


def test_each_trace_is_counted_once_for_the_policy_that_decided_about_it(tmp_path: Path) -> None:
    sampler, telemetry = started(f"{HALF}, {FAILED}", tmp_path)
    batch = spans_batch(*[Span(number, error=number < 10) for number in range(100)])
    sampler.observe(batch)
    assert told(telemetry, "waiting_traces") == {(): 100}
    kept = len(weights_of(sampler.process(batch)))
    assert told(telemetry, "waiting_traces") == {(): 0}
    assert told(telemetry, "decided_traces") == {
        ("failed", "kept"): 10,
        ("half", "kept"): kept - 10,
        ("half", "dropped"): 100 - kept,
    }
    assert len(weights_of(sampler.process(batch))) == kept
    assert sum(told(telemetry, "decided_traces").values()) == 100


def test_traces_that_no_policy_would_keep_are_told_from_those_that_chance_dropped(tmp_path: Path) -> None:
    sampler, telemetry = started(FAILED, tmp_path)
    batch = spans_batch(Span(1, error=True), Span(2), Span(3))
    sampler.observe(batch)
    sampler.process(batch)
    assert told(telemetry, "decided_traces") == {("failed", "kept"): 1, ("none", "dropped"): 2}


def test_spans_are_late_that_come_after_the_decision(tmp_path: Path) -> None:
    sampler, telemetry = started(FAILED, tmp_path)
    batch = spans_batch(Span(1), Span(2))
    sampler.observe(batch)
    sampler.process(batch)
    assert told(telemetry, "late_spans") == {}
    sampler.observe(spans_batch(Span(1), Span(1, error=True), Span(3)))
    assert told(telemetry, "late_spans") == {(): 2}


def test_traces_are_early_that_had_to_make_room(tmp_path: Path) -> None:
    sampler, telemetry = started(FAILED, tmp_path, "num_traces: 10")
    sampler.observe(spans_batch(*[Span(number) for number in range(13)]))
    assert told(telemetry, "early_traces") == {(): 3}
    assert told(telemetry, "waiting_traces") == {(): 10}


def test_the_time_of_each_round_of_decisions_is_told(tmp_path: Path) -> None:
    sampler, telemetry = started(FAILED, tmp_path)
    for number in range(3):
        batch = spans_batch(Span(number))
        sampler.observe(batch)
        sampler.process(batch)
    (family,) = (
        family
        for instrument, family in telemetry.collect()
        if instrument.name.endswith("tail_sampling.decision_duration")
    )
    assert next(sample.value for sample in family.samples if sample.name.endswith("_count")) == 3
