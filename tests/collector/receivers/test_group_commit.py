"""Requests that are there together are written together, and each is told what became of it."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from infersight_collector.component import Receipt
from infersight_collector.errors import MalformedRequest
from infersight_collector.receivers import group_commit
from infersight_collector.receivers.group_commit import GroupCommit
from infersight_collector.signals import Signal


@dataclass
class CountingSink:
    """Remembers what was written together; `b"bad"` is refused."""

    groups: list[list[bytes]] = field(default_factory=list[list[bytes]])
    broken: Exception | None = None
    entered: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    def submit(self, signal: Signal, request: bytes) -> Receipt:
        raise AssertionError(f"{signal}: {request!r} was submitted alone")

    def submit_all(self, requests: Sequence[tuple[Signal, bytes]]) -> list[Receipt | Exception]:
        self.groups.append([request for _, request in requests])
        self.entered.set()
        assert self.go_on.wait(20)
        if self.broken is not None:
            raise self.broken
        return [MalformedRequest("bad") if request == b"bad" else Receipt(len(request)) for _, request in requests]

    def refused(self, signal: Signal, reason: str) -> None:
        raise AssertionError(f"{signal} refused: {reason}")


@pytest.fixture
def sink() -> CountingSink:
    """A sink that goes on at once."""
    sink = CountingSink()
    sink.go_on.set()
    return sink


async def outcomes_of(log: GroupCommit, requests: Sequence[bytes]) -> list[Receipt | BaseException]:
    return await asyncio.gather(*(log.keep(Signal.LOGS, request) for request in requests), return_exceptions=True)


def test_requests_of_one_turn_of_the_loop_are_one_write(sink: CountingSink) -> None:
    log = GroupCommit(sink)
    first, refused, last = asyncio.run(outcomes_of(log, [b"a", b"bad", b"abc"]))
    assert sink.groups == [[b"a", b"bad", b"abc"]]
    assert (first, last) == (Receipt(1), Receipt(3))
    assert isinstance(refused, MalformedRequest)
    log.close()


def test_what_arrives_during_a_write_is_the_next_one(sink: CountingSink) -> None:
    sink.go_on.clear()
    log = GroupCommit(sink)

    async def send() -> None:
        first = asyncio.create_task(log.keep(Signal.LOGS, b"first"))
        await asyncio.to_thread(sink.entered.wait, 20)
        others = [asyncio.create_task(log.keep(Signal.LOGS, b"second"))]
        await asyncio.sleep(0)
        others += [asyncio.create_task(log.keep(Signal.LOGS, name)) for name in (b"third", b"fourth")]
        for _ in range(2):  # until they are submitted, and handed over
            await asyncio.sleep(0)
        sink.go_on.set()
        await asyncio.gather(first, *others)

    asyncio.run(send())
    assert sink.groups == [[b"first"], [b"second", b"third", b"fourth"]]
    log.close()


def test_a_sink_that_fails_is_told_to_each_and_the_next_request_is_tried(sink: CountingSink) -> None:
    log = GroupCommit(sink)

    async def send() -> None:
        sink.broken = OSError("broken")
        assert await outcomes_of(log, [b"a", b"b"]) == [sink.broken, sink.broken]
        sink.broken = None
        assert await log.keep(Signal.LOGS, b"c") == Receipt(1)

    asyncio.run(send())
    log.close()


def test_a_request_that_was_given_up_is_kept_and_harms_nobody(sink: CountingSink) -> None:
    sink.go_on.clear()
    log = GroupCommit(sink)

    async def send() -> Receipt:
        given_up = asyncio.create_task(log.keep(Signal.LOGS, b"given up"))
        await asyncio.to_thread(sink.entered.wait, 20)
        given_up.cancel()
        other = asyncio.create_task(log.keep(Signal.LOGS, b"other"))
        await asyncio.sleep(0)
        sink.go_on.set()
        return await other

    assert asyncio.run(send()) == Receipt(5)
    assert sink.groups == [[b"given up"], [b"other"]]
    log.close()


def test_closing_waits_for_what_is_written_after_the_loop_has_ended(sink: CountingSink) -> None:
    sink.go_on.clear()
    log = GroupCommit(sink)

    async def send_and_leave() -> None:
        log.submit(Signal.LOGS, b"late", lambda _outcome: None)
        await asyncio.to_thread(sink.entered.wait, 20)

    asyncio.run(send_and_leave())
    closing = threading.Thread(target=log.close)
    closing.start()
    closing.join(0.1)
    assert closing.is_alive()
    sink.go_on.set()
    closing.join(20)
    assert not closing.is_alive()
    assert sink.groups == [[b"late"]]


def test_one_that_was_never_used_closes(sink: CountingSink) -> None:
    GroupCommit(sink).close()
    assert sink.groups == []


def test_a_write_waits_a_moment_for_senders_that_were_just_answered(
    sink: CountingSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "_PATIENCE_S", 20.0)
    log = GroupCommit(sink)

    async def send() -> None:
        await asyncio.gather(log.keep(Signal.LOGS, b"a1"), log.keep(Signal.LOGS, b"b1"))
        quick = asyncio.create_task(log.keep(Signal.LOGS, b"a2"))
        await asyncio.sleep(0.05)  # as long as a write takes many times
        await asyncio.gather(quick, log.keep(Signal.LOGS, b"b2"))

    asyncio.run(send())
    log.close()
    assert sink.groups == [[b"a1", b"b1"], [b"a2", b"b2"]]


def test_who_does_not_come_again_is_not_waited_for(sink: CountingSink) -> None:
    log = GroupCommit(sink)

    async def send() -> None:
        await asyncio.gather(log.keep(Signal.LOGS, b"a1"), log.keep(Signal.LOGS, b"b1"))
        await asyncio.wait_for(log.keep(Signal.LOGS, b"a2"), 20)

    asyncio.run(send())
    log.close()
    assert sink.groups == [[b"a1", b"b1"], [b"a2"]]
