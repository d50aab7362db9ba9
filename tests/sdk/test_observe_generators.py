"""The decorator on generators: one span an iteration, current in its steps and nowhere else."""

import asyncio
import gc
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from opentelemetry.trace import StatusCode, get_current_span

import infersight
from infersight import testing


def current_span_id() -> int:
    """Span id of the current span, 0 without one."""
    return get_current_span().get_span_context().span_id


@infersight.observe(model="m")
def count(batch: list[int]) -> Generator[tuple[int, int]]:
    """Each item with the span that is current in its step."""
    for item in batch:
        yield item, current_span_id()


@infersight.observe(model="m")
async def count_async(batch: list[int]) -> AsyncIterator[tuple[int, int]]:
    """Each item with the span that is current in its step."""
    for item in batch:
        await asyncio.sleep(0)
        yield item, current_span_id()


def test_an_iteration_is_one_span_that_is_current_in_its_steps_only() -> None:
    consumer: list[int] = []
    with testing.capture() as captured:
        produced: list[tuple[int, int]] = []
        for pair in count([1, 2, 3]):
            produced.append(pair)
            consumer.append(current_span_id())
    (span,) = captured.spans
    assert span.context is not None
    assert produced == [(item, span.context.span_id) for item in (1, 2, 3)]
    assert consumer == [0, 0, 0]
    assert (span.attributes or {})["infersight.batch.size"] == 3
    assert span.status.status_code is StatusCode.UNSET


def test_concurrent_async_iterations_do_not_mix() -> None:
    async def consume(size: int) -> list[tuple[int, int, int]]:
        return [(item, inside, current_span_id()) async for item, inside in count_async(list(range(size)))]

    async def many() -> list[list[tuple[int, int, int]]]:
        return await asyncio.gather(*(consume(size) for size in range(1, 9)))

    with testing.capture() as captured:
        results = asyncio.run(many())
    ids = {
        (span.attributes or {})["infersight.batch.size"]: span.context.span_id
        for span in captured.spans
        if span.context
    }
    assert results == [[(item, ids[size], 0) for item in range(size)] for size in range(1, 9)]


def test_a_span_opened_around_a_step_stays_current_in_the_next_whatever_thread_makes_it() -> None:
    @infersight.observe(model="m")
    def staged() -> Iterator[int]:
        with infersight.stage("decode"):
            yield current_span_id()
            yield current_span_id()

    with testing.capture() as captured, ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        steps = staged()
        first = one.submit(next, steps).result()
        second = other.submit(next, steps).result()
        assert list(steps) == []
    stage = captured.span("decode")
    assert stage.context is not None
    assert first == second == stage.context.span_id
    assert stage.parent == captured.span("inference m").context


def test_an_async_generator_keeps_a_stage_around_its_steps() -> None:
    @infersight.observe(model="m")
    async def staged() -> AsyncIterator[int]:
        with infersight.stage("decode"):
            yield current_span_id()
            await asyncio.sleep(0)
            yield current_span_id()

    async def consume() -> list[int]:
        return [item async for item in staged()]

    with testing.capture() as captured:
        seen = asyncio.run(consume())
    stage = captured.span("decode")
    assert stage.context is not None
    assert seen == [stage.context.span_id] * 2


def test_a_failure_fails_the_span_and_passes() -> None:
    @infersight.observe(model="m")
    def failing() -> Iterator[int]:
        yield 1
        raise KeyError("weights")

    with testing.capture() as captured, pytest.raises(KeyError):
        list(failing())
    (span,) = captured.spans
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "KeyError"


def test_a_generator_that_is_closed_or_dropped_early_ends_its_span_without_an_error() -> None:
    with testing.capture() as captured:
        closed = count([1, 2])
        next(closed)
        closed.close()
        dropped = count([1, 2])
        next(dropped)
        del dropped
        gc.collect()
    assert [(span.attributes or {})["error.type"] for span in captured.spans] == ["GeneratorExit"] * 2
    assert [span.status.status_code for span in captured.spans] == [StatusCode.UNSET] * 2


def test_a_cancelled_async_iteration_ends_its_span_and_runs_its_cleanup() -> None:
    cleaned: list[int] = []

    @infersight.observe(model="m")
    async def forever() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
                await asyncio.get_running_loop().create_future()
        finally:
            await asyncio.sleep(0)
            cleaned.append(current_span_id())

    async def cancel() -> None:
        async def consume() -> None:
            async for _ in forever():
                started.set()

        started = asyncio.Event()
        task = asyncio.ensure_future(consume())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with testing.capture() as captured:
        asyncio.run(cancel())
    (span,) = captured.spans
    assert span.context is not None
    assert cleaned == [span.context.span_id]
    assert (span.attributes or {})["error.type"] == "asyncio.exceptions.CancelledError"


def test_an_async_generator_that_is_closed_early_runs_its_cleanup_inside_its_span() -> None:
    cleaned: list[int] = []

    @infersight.observe(model="m")
    async def one_of_many() -> AsyncGenerator[int]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            cleaned.append(current_span_id())

    async def close() -> None:
        steps = one_of_many()
        await anext(steps)
        await steps.aclose()

    with testing.capture() as captured:
        asyncio.run(close())
    (span,) = captured.spans
    assert span.context is not None
    assert cleaned == [span.context.span_id]
    assert (span.attributes or {})["error.type"] == "GeneratorExit"


def test_values_and_exceptions_reach_the_generator_and_its_result_the_caller() -> None:
    @infersight.observe(model="m")
    def echo() -> Generator[str, str, str]:
        received = yield "ready"
        try:
            yield received
        except ValueError as error:
            yield str(error)
        return "result"

    with testing.capture():
        steps = echo()
        assert [next(steps), steps.send("sent"), steps.throw(ValueError("thrown"))] == ["ready", "sent", "thrown"]
        with pytest.raises(StopIteration) as stop:
            next(steps)
    assert stop.value.value == "result"


def test_values_and_exceptions_reach_the_async_generator() -> None:
    @infersight.observe(model="m")
    async def echo() -> AsyncGenerator[str, str]:
        received = yield "ready"
        try:
            yield received
        except ValueError as error:
            yield str(error)

    async def talk() -> list[str]:
        steps = echo()
        return [await anext(steps), await steps.asend("sent"), await steps.athrow(ValueError("thrown"))]

    with testing.capture():
        assert asyncio.run(talk()) == ["ready", "sent", "thrown"]


def test_a_generator_that_is_never_begun_has_no_span_and_keeps_its_kind() -> None:
    with testing.capture() as captured:
        count([1])
    assert not captured.spans
    assert inspect.isgeneratorfunction(count)
    assert inspect.isasyncgenfunction(count_async)


def test_without_configure_an_iteration_is_only_the_iteration() -> None:
    async def consume() -> list[tuple[int, int]]:
        return [pair async for pair in count_async([1])]

    assert list(count([1])) == [(1, 0)]
    assert asyncio.run(consume()) == [(1, 0)]
