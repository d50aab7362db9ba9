"""A fault of the SDK never reaches the caller, is said once, and is raised under test."""

import asyncio
import logging
from typing import Any

import pytest

import infersight
from infersight import testing
from infersight._configure import state


class BrokenTracer:
    def start_span(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("out of spans")


class BrokenInstrument:
    def record(self, *_: Any, **__: Any) -> None:
        raise RuntimeError("out of buckets")


@infersight.observe(model="m")
def double(numbers: list[int]) -> list[int]:
    return [2 * number for number in numbers]


@infersight.observe(model="m")
async def double_async(numbers: list[int]) -> list[int]:
    return double.__wrapped__(numbers)  # type: ignore[attr-defined, no-any-return]  # pyright: ignore


def break_telemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state.telemetry, "tracer", BrokenTracer())


def test_a_broken_tracer_costs_the_caller_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with testing.capture(faults_raise=False) as captured, caplog.at_level(logging.WARNING, "infersight"):
        break_telemetry(monkeypatch)
        for _ in range(3):
            assert double([1, 2]) == [2, 4]
        assert asyncio.run(double_async([1])) == [2]
        with infersight.stage("preprocess") as block:
            block.set(a=1)
    assert captured.spans == ()
    reported = [record.getMessage() for record in caplog.records]
    assert len(reported) == 2
    assert "observe an inference" in reported[0]
    assert "start a span" in reported[1]


def test_a_broken_metric_leaves_the_span_whole_and_the_context_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    with testing.capture(faults_raise=False) as captured:
        monkeypatch.setattr(state.telemetry, "duration", BrokenInstrument())
        assert double([1]) == [2]
        assert double([1]) == [2]
    assert [span.parent for span in captured.spans] == [None, None]


def test_under_test_a_fault_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    with testing.capture():
        break_telemetry(monkeypatch)
        with pytest.raises(RuntimeError, match="out of spans"):
            double([1])


def test_an_argument_whose_attributes_raise_costs_the_caller_nothing() -> None:
    class Hostile:
        def __getattr__(self, name: str) -> object:
            raise ValueError(name)

    @infersight.observe(model="m")
    def take(_value: object) -> int:
        return 1

    with testing.capture(faults_raise=False):
        assert take(Hostile()) == 1
