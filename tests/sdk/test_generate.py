"""Generations: the `gen_ai.*` span and metrics of a stream of tokens, counted by hand or observed on its way."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from opentelemetry.trace import get_current_span

import infersight
from infersight import testing

SERIES = {"gen_ai.operation.name": "text_completion", "gen_ai.request.model": "tiny"}


def test_tokens_that_are_counted_by_hand_give_times_and_counts() -> None:
    with testing.capture() as captured:
        with infersight.generation(model="tiny", version="2", input_tokens=12) as generation:
            for _ in range(5):
                generation.token()
        first, per_token, duration = (
            captured.points(f"gen_ai.server.{name}")[0]
            for name in ("time_to_first_token", "time_per_output_token", "request.duration")
        )
        usage = {
            point.attributes["gen_ai.token.type"]: point.sum for point in captured.points("gen_ai.client.token.usage")
        }
    # The clock ticks a millisecond at each reading, which each token is.
    assert dict(captured.span("text_completion tiny").attributes or {}) == {
        **SERIES,
        "infersight.operation": "generation",
        "infersight.model.name": "tiny",
        "infersight.model.version": "2",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.response.time_to_first_chunk": pytest.approx(0.001),
        "infersight.generation.token.duration": pytest.approx(0.001),
        "infersight.cpu.duration": pytest.approx(0.001),
    }
    assert (first.attributes, first.sum) == (SERIES, pytest.approx(0.001))
    assert (per_token.attributes, per_token.sum) == (SERIES, pytest.approx(0.001))
    assert (duration.attributes, duration.sum) == (SERIES, pytest.approx(0.006))
    assert usage == {"input": 12, "output": 5}


def test_a_stream_counts_its_items_and_passes_them_on() -> None:
    with testing.capture() as captured:
        assert list(infersight.generation(model="tiny").stream(["a", "b", "c"])) == ["a", "b", "c"]
    attributes = captured.span("text_completion tiny").attributes or {}
    assert attributes["gen_ai.usage.output_tokens"] == 3
    assert "gen_ai.usage.input_tokens" not in attributes


def test_an_item_may_have_several_tokens_or_none() -> None:
    with testing.capture() as captured:
        list(
            infersight.generation(model="tiny", operation="chat").stream(
                ["a b", "", "c"], lambda text: len(text.split())
            )
        )
    assert (captured.span("chat tiny").attributes or {})["gen_ai.usage.output_tokens"] == 3


def test_the_model_works_inside_the_span_and_the_consumer_outside() -> None:
    async def model() -> AsyncIterator[int]:
        for _ in range(2):
            await asyncio.sleep(0)
            with infersight.stage("decode"):
                yield get_current_span().get_span_context().span_id

    async def consume() -> list[int]:
        return [
            get_current_span().get_span_context().span_id
            async for _ in infersight.generation(model="tiny").stream(model())
        ]

    with testing.capture() as captured:
        assert asyncio.run(consume()) == [0, 0]
    span = captured.span("text_completion tiny")
    assert [stage.parent for stage in captured.spans if stage.name == "decode"] == [span.context] * 2


def test_a_client_that_goes_away_stops_the_model_and_is_no_success() -> None:
    stopped: list[str] = []

    async def model() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
        finally:
            await asyncio.sleep(0)
            stopped.append("async")

    def model_sync() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            stopped.append("sync")

    async def leave() -> None:
        stream = infersight.generation(model="tiny").stream(model())
        await anext(stream)
        await stream.aclose()

    with testing.capture() as captured:
        asyncio.run(leave())
        stream = infersight.generation(model="tiny").stream(model_sync())
        next(stream)
        stream.close()
        assert captured.points("gen_ai.server.time_to_first_token") == ()
        (duration,) = captured.points("gen_ai.server.request.duration")
    assert stopped == ["async", "sync"]
    assert duration.attributes == SERIES | {"error.type": "GeneratorExit"}
    for span in captured.spans:
        attributes = span.attributes or {}
        assert (attributes["error.type"], attributes["gen_ai.usage.output_tokens"]) == ("GeneratorExit", 1)


def test_a_failure_passes_and_fails_the_span() -> None:
    def model() -> Iterator[str]:
        yield "a"
        raise RuntimeError("device")

    with testing.capture() as captured, pytest.raises(RuntimeError):
        list(infersight.generation(model="tiny").stream(model()))
    assert (captured.span("text_completion tiny").attributes or {})["error.type"] == "RuntimeError"


def test_a_count_that_fails_costs_no_item() -> None:
    with testing.capture(faults_raise=False) as captured:
        assert list(infersight.generation(model="tiny").stream(["a"], lambda _: 1 // 0)) == ["a"]
    assert (captured.span("text_completion tiny").attributes or {})["gen_ai.usage.output_tokens"] == 0


def test_without_configure_tokens_only_pass() -> None:
    with infersight.generation(model="tiny") as generation:
        generation.token()
    assert list(infersight.generation(model="tiny").stream("ab")) == ["a", "b"]
