"""Stages: child spans around blocks of sync and async code."""

import asyncio

import pytest
from opentelemetry.trace import StatusCode

import infersight
from infersight import testing


def test_a_stage_is_a_child_of_what_surrounds_it_with_its_attributes() -> None:
    with testing.capture() as captured, infersight.stage("request"):
        with infersight.stage("preprocess", **{"document.kind": "html"}) as block:
            block.set(tokens=17)
        with infersight.stage("postprocess"):
            pass
    request = captured.span("request")
    for name in ("preprocess", "postprocess"):
        assert captured.span(name).parent == request.context
    assert dict(captured.span("preprocess").attributes or {}) == {
        "infersight.operation": "stage",
        "infersight.cpu.duration": 0.001,
        "document.kind": "html",
        "tokens": 17,
    }


def test_stages_of_concurrent_tasks_do_not_mix() -> None:
    async def task(name: str) -> None:
        with infersight.stage(name):
            await asyncio.sleep(0)
            with infersight.stage(f"{name} inner"):
                await asyncio.sleep(0)

    async def both() -> None:
        await asyncio.gather(task("a"), task("b"))

    with testing.capture() as captured:
        asyncio.run(both())
    for name in ("a", "b"):
        assert captured.span(f"{name} inner").parent == captured.span(name).context


def test_an_exception_fails_the_stage_and_passes() -> None:
    with testing.capture() as captured, pytest.raises(KeyError), infersight.stage("lookup"):
        raise KeyError("weights")
    span = captured.span("lookup")
    assert span.status.status_code is StatusCode.ERROR
    assert [event.name for event in span.events] == ["exception"]


def test_attributes_that_otlp_cannot_carry_are_made_to_fit() -> None:
    class Unprintable:
        def __str__(self) -> str:
            raise RuntimeError

    with testing.capture() as captured, infersight.stage("s", big=2**64, bad="\ud800", odd=Unprintable(), many={1}):
        pass
    attributes = dict(captured.span("s").attributes or {})
    assert attributes["big"] == str(2**64)
    assert attributes["bad"] == "?"
    assert attributes["odd"] == "<Unprintable whose str() failed>"
    assert attributes["many"] == (1,)


def test_a_stage_without_configure_runs_its_block() -> None:
    with infersight.stage("preprocess", kind="html") as block:
        block.set(tokens=1)
