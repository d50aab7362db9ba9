"""Batches: a trace of their own, linked with the requests that they served, each of which knows its part."""

import asyncio
import itertools
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, StatusCode, format_trace_id

import infersight
from infersight import testing
from infersight.examples.batcher import Batcher

REQUESTS = 10_000


def attributes_of(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def span_id_of(context: SpanContext | None) -> int:
    """As a key; ids are unique inside `capture`. 0 without a context."""
    return 0 if context is None else context.span_id


def enqueue(name: str, size: float = 1) -> infersight.QueuedItem:
    """A request of this name whose only work is to enqueue."""
    with infersight.stage(name):
        return infersight.QueuedItem(size)


def named(captured: testing.Captured, name: str) -> list[ReadableSpan]:
    return [span for span in captured.spans if span.name == name]


def test_a_batch_links_to_its_requests_and_each_knows_its_part() -> None:
    with testing.capture() as captured:
        items = [enqueue("small", 1), enqueue("large", 3)]
        with infersight.Batch(items, model="m", version="1", capacity=8, release_reason="timeout"):
            pass
    small, large, batch = captured.span("small"), captured.span("large"), captured.span("batch m")
    assert batch.parent is None
    assert [link.context for link in batch.links] == [small.context, large.context]
    facts = {
        "infersight.model.name": "m",
        "infersight.model.version": "1",
        "infersight.batch.size": 2,
        "infersight.batch.fill": 0.25,
        "infersight.batch.release_reason": "timeout",
        "infersight.batch.largest.size": 3.0,
    }
    assert attributes_of(batch) == facts | {"infersight.operation": "batch"}
    for name in ("queue", "batched m"):
        of_requests = named(captured, name)
        assert [span.parent for span in of_requests] == [small.context, large.context]
        assert [[link.context for link in span.links] for span in of_requests] == [[batch.context]] * 2
    # The clock ticks a millisecond at each reading: the end of the stage, the small one's wait, the large one's.
    assert attributes_of(named(captured, "queue")[1]) == facts | {
        "infersight.operation": "queue",
        "infersight.batch.queue.duration": pytest.approx(0.003),
    }
    assert small.context is not None
    assert attributes_of(named(captured, "batched m")[1]) == facts | {
        "infersight.operation": "batched",
        "infersight.batch.item.size": 3.0,
        "infersight.batch.share": 0.75,
        "infersight.batch.trace_ids": (format_trace_id(small.context.trace_id),),
    }


def test_queue_and_batch_leave_nothing_of_a_request_out() -> None:
    with testing.capture() as captured:
        item = enqueue("request")
        with infersight.Batch([item], model="m", capacity=1, release_reason="full"), infersight.stage("forward"):
            pass
    queue, batched, batch = captured.span("queue"), captured.span("batched m"), captured.span("batch m")
    assert (batched.start_time, batched.end_time) == (batch.start_time, batch.end_time)
    assert queue.end_time is not None
    assert batched.start_time is not None
    assert batched.start_time - queue.end_time <= testing.TICK_NS


def test_the_queue_span_ends_where_the_batch_begins() -> None:
    with testing.capture() as captured:
        item = enqueue("request")
        with infersight.Batch([item], model="m", capacity=1, release_reason="full"), infersight.stage("forward"):
            pass
    queue, batch = captured.span("queue"), captured.span("batch m")
    assert queue.start_time is not None
    assert queue.end_time is not None
    waited = attributes_of(queue)["infersight.batch.queue.duration"]
    assert queue.end_time - queue.start_time == round(waited * 1e9)
    assert captured.span("forward").parent == batch.context


def test_a_batch_is_no_part_of_the_request_that_happened_to_start_its_batcher() -> None:
    with testing.capture() as captured, infersight.stage("first request"):
        item = enqueue("second request")
        with infersight.Batch([item], model="m", capacity=1, release_reason="full"), infersight.stage("forward"):
            pass
        with infersight.stage("after"):
            pass
    batch = captured.span("batch m")
    assert batch.parent is None
    assert captured.span("forward").parent == batch.context
    assert captured.span("after").parent == captured.span("first request").context


def test_the_wait_is_a_metric_whose_exemplar_is_the_request() -> None:
    with testing.capture() as captured:
        item = enqueue("request")
        with infersight.Batch([item], model="m", capacity=2, release_reason="timeout"):
            pass
        (point,) = captured.points("infersight.batch.queue.duration")
    request = captured.span("request")
    assert request.context is not None
    assert point.attributes == {"infersight.model.name": "m", "infersight.batch.release_reason": "timeout"}
    assert [exemplar.trace_id for exemplar in point.exemplars] == [request.context.trace_id]


def test_a_failed_batch_fails_its_span_and_marks_its_requests() -> None:
    with testing.capture() as captured:
        item = enqueue("request")
        with (
            pytest.raises(RuntimeError),
            infersight.Batch([item], model="m", capacity=1, release_reason="full"),
        ):
            raise RuntimeError("device")
    assert captured.span("batch m").status.status_code is StatusCode.ERROR
    for name in ("queue", "batched m"):
        assert attributes_of(captured.span(name))["error.type"] == "RuntimeError"


def test_a_dropped_request_ends_its_queue_span_without_a_batch() -> None:
    with testing.capture() as captured:
        item = enqueue("request")
        item.drop(TimeoutError("too late"))
        with infersight.Batch([item], model="m", capacity=1, release_reason="full"):
            item.drop()
    queue = captured.span("queue")
    assert attributes_of(queue) == {"infersight.operation": "queue", "error.type": "TimeoutError"}
    assert queue.status.status_code is StatusCode.ERROR


def test_co_batched_trace_ids_are_capped_and_do_not_name_the_request_itself() -> None:
    with testing.capture() as captured:
        items = [enqueue(f"request {number}") for number in range(40)]
        with infersight.Batch(items, model="m", capacity=40, release_reason="full"):
            pass
    for batched in named(captured, "batched m"):
        others = attributes_of(batched)["infersight.batch.trace_ids"]
        assert batched.context is not None
        assert len(set(others)) == 16
        assert format_trace_id(batched.context.trace_id) not in others


def test_requests_and_batch_may_be_in_different_threads() -> None:
    with testing.capture() as captured, ThreadPoolExecutor(1) as requests, ThreadPoolExecutor(1) as worker:
        item = requests.submit(enqueue, "request").result()

        def run() -> None:
            with infersight.Batch([item], model="m", capacity=1, release_reason="full"):
                pass

        worker.submit(run).result()
    request = captured.span("request")
    assert captured.span("queue").parent == captured.span("batched m").parent == request.context
    assert [link.context for link in captured.span("batch m").links] == [request.context]


def test_without_configure_a_batch_is_only_its_block() -> None:
    with infersight.Batch([infersight.QueuedItem()], model="m", capacity=1, release_reason="full") as batch:
        assert batch is not None


def test_concurrent_requests_of_the_example_batcher_are_not_mixed_up() -> None:
    def double(values: Sequence[int]) -> list[int]:
        with infersight.stage("double", first=values[0]):
            return [value * 2 for value in values]

    async def request(batcher: Batcher[int, int], number: int) -> int:
        with infersight.stage("request", number=number):
            return await batcher.submit(number)

    async def serve() -> list[int]:
        async with Batcher(double, model="m", capacity=8, wait_seconds=0.005) as batcher:
            return await asyncio.gather(*(request(batcher, number) for number in range(REQUESTS)))

    with testing.capture() as captured:
        assert asyncio.run(serve()) == [number * 2 for number in range(REQUESTS)]
    spans = captured.spans
    requests = {span_id_of(span.context): span for span in spans if span.name == "request"}
    batches = {span_id_of(span.context): span for span in spans if span.name == "batch m"}
    served_by = {id_: [span_id_of(link.context) for link in batch.links] for id_, batch in batches.items()}
    queues = named(captured, "queue")
    batched = named(captured, "batched m")
    assert len(requests) == len(queues) == len(batched) == REQUESTS
    assert all(batch.parent is None for batch in batches.values())
    assert sorted(itertools.chain.from_iterable(served_by.values())) == sorted(requests)
    for span in (*queues, *batched):
        assert span_id_of(span.parent) in served_by[span_id_of(span.links[0].context)]
    doubled = [span for span in spans if span.name == "double"]
    assert {span_id_of(span.parent) for span in doubled} == set(batches)
    for span in doubled:
        first = requests[served_by[span_id_of(span.parent)][0]]
        assert attributes_of(first)["number"] == attributes_of(span)["first"]


def test_the_example_batcher_runs_a_full_batch_at_once_and_a_part_after_its_wait() -> None:
    async def serve() -> None:
        async with Batcher[int, int](list, model="m", capacity=2, wait_seconds=0.01) as batcher:
            await asyncio.gather(*(batcher.submit(number) for number in range(3)))

    with testing.capture() as captured:
        asyncio.run(serve())
    reasons = [
        attributes_of(span)["infersight.batch.release_reason"] for span in captured.spans if span.name == "batch m"
    ]
    assert reasons == ["full", "timeout"]


def test_a_request_that_is_cancelled_in_the_queue_is_dropped_and_not_run() -> None:
    ran: list[int] = []
    started, release = threading.Event(), threading.Event()

    def run(values: Sequence[int]) -> list[int]:
        started.set()
        release.wait(10)
        ran.extend(values)
        return list(values)

    async def serve() -> None:
        async with Batcher(run, model="m", capacity=1, wait_seconds=1) as batcher:
            first, second, third = (asyncio.ensure_future(batcher.submit(number)) for number in range(3))
            await asyncio.to_thread(started.wait, 10)
            second.cancel()
            await asyncio.sleep(0)
            release.set()
            assert list(await asyncio.gather(first, third)) == [0, 2]

    with testing.capture() as captured:
        asyncio.run(serve())
    assert ran == [0, 2]
    dropped = [span for span in captured.spans if span.name == "queue" and "error.type" in attributes_of(span)]
    assert [attributes_of(span)["error.type"] for span in dropped] == ["asyncio.exceptions.CancelledError"]


def test_a_failing_batch_fails_each_of_its_requests() -> None:
    def fail(_values: Sequence[int]) -> list[int]:
        raise RuntimeError("device")

    async def serve() -> list[Any]:
        async with Batcher(fail, model="m", capacity=2, wait_seconds=0.01) as batcher:
            return await asyncio.gather(*(batcher.submit(number) for number in range(2)), return_exceptions=True)

    with testing.capture() as captured:
        assert [str(result) for result in asyncio.run(serve())] == ["device"] * 2
    assert captured.span("batch m").status.status_code is StatusCode.ERROR
