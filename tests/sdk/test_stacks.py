"""The profile of a request: what its code did, by looks at its stacks."""

import asyncio
import sys
import threading
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infersight._stacks import DEPTH, SAMPLES, STACKS, RequestStacks, StackSampler, folded

if TYPE_CHECKING:
    from tests.sdk.conftest import Receiver, Row, Serve

SERVED = {"module": "profiled_application", "OTEL_PYTHON_FASTAPI_EXCLUDED_URLS": "health"}
HERE = Path(__file__).name


def profiles(receiver: "Receiver") -> "list[Row]":
    return [row for row in receiver.logs if row.name == "infersight.profile"]


def seen(profile: "Row") -> Counter[tuple[str, bool]]:
    """How often each function of the application was its innermost one, and whether the request waited."""
    stacks: list[str] = [own_function(stack) for stack in profile.attributes["infersight.profile.stacks"]]
    numbers: list[int] = profile.attributes["infersight.profile.sample.stacks"]
    waited: list[bool] = profile.attributes["infersight.profile.sample.awaiting"]
    return Counter((stacks[number], is_waiting) for number, is_waiting in zip(numbers, waited, strict=True))


def own_function(stack: str) -> str:
    own = [frame for frame in stack.split(";") if "profiled_application.py" in frame]
    return own[-1].partition(" ")[0] if own else ""


def test_a_slow_request_carries_what_its_code_did(receiver: "Receiver", serve: "Serve") -> None:
    """Where it waited, what ran on the event loop and in its threads, each for about as long as it took."""
    exporting = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.grpc_endpoint, "INFERSIGHT_SLOW_SECONDS": "0.3"}
    with serve(**SERVED, **exporting, INFERSIGHT_PROFILE_RATE="200") as server:
        assert server.get("/mixed?seconds=0")[0] == 200
        assert server.get("/mixed?seconds=0.3")[0] == 200
        assert server.get("/sync?seconds=0.4")[0] == 200
        server.stop()
    mixed, sync = profiles(receiver)  # none of the quick request
    spans = {row.name: row for row in receiver.spans}
    assert (mixed.trace_id, mixed.span_id) == (spans["GET /mixed"].trace_id, spans["GET /mixed"].span_id)
    assert mixed.attributes["infersight.sample.weight"] == 0.0
    assert mixed.attributes["infersight.recorder.reason"] == "slow"
    counts = seen(mixed)
    for what in (("waits", True), ("crunch", False)):
        assert counts[what] >= 10, counts  # of 60 and 120: a busy machine looks less often
    assert seen(sync)[("crunch", False)] >= 10
    times = mixed.attributes["infersight.profile.sample.times"]
    assert all(0 <= earlier <= later for earlier, later in pairwise(times))
    span = next(row.record for row in receiver.spans if row.trace_id == mixed.trace_id and row.name == "GET /mixed")
    assert times[-1] * 1_000 <= span.end_time_unix_nano - span.start_time_unix_nano
    assert mixed.record.time_unix_nano == span.start_time_unix_nano


def test_every_so_manieth_request_is_sent_whatever_became_of_it(receiver: "Receiver", serve: "Serve") -> None:
    exporting = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.grpc_endpoint}
    with serve(**SERVED, **exporting, INFERSIGHT_RECORDER_EVERY="3", INFERSIGHT_PROFILE_RATE="500") as server:
        for _ in range(7):
            assert server.get("/mixed?seconds=0.02")[0] == 200
        server.stop()
    reasons = [row.attributes.get("infersight.recorder.reason") for row in receiver.spans if row.name == "GET /mixed"]
    assert reasons == [None, None, "periodic", None, None, "periodic", None]
    assert len(profiles(receiver)) == 2


def test_nobody_looks_unless_told_to(receiver: "Receiver", serve: "Serve") -> None:
    exporting = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.grpc_endpoint, "INFERSIGHT_SLOW_SECONDS": "0.01"}
    with serve(**SERVED, **exporting) as server:
        assert server.get("/sync?seconds=0.05")[0] == 200
        server.stop()
    assert profiles(receiver) == []


@pytest.fixture
def sampler() -> StackSampler:
    """One whose looks the test takes itself: its own are a thousand seconds apart."""
    return StackSampler(0.001, lambda: 7)


def test_a_task_that_waits_is_seen_where_it_awaits(sampler: StackSampler) -> None:
    async def inner(begun: asyncio.Event) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def request(begun: asyncio.Event, kept: list[RequestStacks]) -> None:
        kept.append(sampler.begin())
        await inner(begun)

    async def main() -> RequestStacks:
        begun, kept = asyncio.Event(), list[RequestStacks]()
        task = asyncio.create_task(request(begun, kept))
        await begun.wait()
        sampler.look()
        task.cancel()
        sampler.end(kept[0])
        return kept[0]

    stacks = asyncio.run(main())
    sampler.stop()
    sample = stacks.samples[-1]
    (*outer, innermost) = folded(list(stacks.known)[sample.stack]).split(";")
    assert sample.awaiting
    assert innermost.startswith("Event.wait (")
    assert [frame.partition(" ")[0].rpartition(".")[2] for frame in outer] == ["request", "inner"]
    assert all(f"{HERE}:" in frame for frame in outer)


def test_what_a_request_holds_is_bounded_and_the_rest_counted() -> None:
    stacks = RequestStacks(None)
    code = folded.__code__
    for instruction in range(STACKS + 10):
        stacks.saw(instruction, ((code, instruction),), 0)
    assert (len(stacks.known), stacks.dropped) == (STACKS, 10)
    for time_ns in range(SAMPLES):
        stacks.saw(time_ns, ((code, 1),), 0)
    assert (len(stacks.samples), stacks.dropped) == (SAMPLES, 10 + STACKS)


def test_of_a_deep_stack_the_innermost_frames_are_kept(sampler: StackSampler) -> None:
    def deep(levels: int) -> None:
        if levels:
            deep(levels - 1)
        else:
            sampler.look()

    async def request() -> RequestStacks:
        stacks = sampler.begin()
        deep(3 * DEPTH)
        sampler.end(stacks)
        return stacks

    stacks = asyncio.run(request())
    sampler.stop()
    deepest = max(stacks.known, key=len)
    assert len(deepest) == DEPTH
    assert deepest[-1][0].co_name == "look"


def test_the_thread_that_looks_begins_with_the_first_request_and_ends_when_told() -> None:
    looked = threading.Event()

    def clock() -> int:
        looked.set()
        return 0

    sampler = StackSampler(1_000, clock)
    stacks = sampler.begin()
    assert looked.wait(10)
    sampler.end(stacks)
    thread = next(thread for thread in threading.enumerate() if thread.name == "infersight-stacks")
    sampler.stop()
    thread.join(10)
    assert not thread.is_alive()


def test_a_folded_stack_has_the_lines_that_were_running() -> None:
    frame = sys._getframe()  # pyright: ignore[reportPrivateUsage]
    here = frame.f_lineno + 1
    assert folded(((frame.f_code, frame.f_lasti),)).endswith(f"{HERE}:{here})")
