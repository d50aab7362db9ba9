"""The queue on disk: in order, once for each segment, and there again for the next process."""

from collections.abc import Generator
from pathlib import Path

import pytest

from infersight_collector.errors import CollectorError
from infersight_collector.exporters.sending_queue import Item, SendingQueue
from infersight_collector.signals import Signal
from infersight_collector.store.errors import StoreUnavailable
from infersight_collector.store.wal import Origin


def opened(directory: Path, max_bytes: int = 1_000) -> SendingQueue:
    queue = SendingQueue(directory, max_bytes)
    queue.open()
    return queue


@pytest.fixture
def queue(tmp_path: Path) -> Generator[SendingQueue]:
    queue = opened(tmp_path)
    yield queue
    queue.release()


def oldest(queue: SendingQueue) -> Item:
    item = queue.next()
    assert item is not None
    return item


def drained(queue: SendingQueue) -> list[tuple[Signal, bytes]]:
    """Takes everything out."""
    queue.close()
    found: list[tuple[Signal, bytes]] = []
    while (item := queue.next()) is not None:
        found.append((item.signal, item.path.read_bytes()))
        queue.done(item)
    return found


def test_requests_come_out_in_the_order_they_came_in(queue: SendingQueue) -> None:
    queue.put(Origin("w", 1), [(Signal.TRACES, b"a"), (Signal.LOGS, b"bb")])
    queue.put(Origin("w", 2), [])
    queue.put(Origin("w", 3), [(Signal.METRICS, b"ccc")])
    assert queue.bytes == 6
    assert drained(queue) == [(Signal.TRACES, b"a"), (Signal.LOGS, b"bb"), (Signal.METRICS, b"ccc")]
    assert queue.bytes == 0


def test_a_segment_is_taken_once_also_when_it_was_delivered_before(queue: SendingQueue) -> None:
    queue.put(Origin("w", 1), [(Signal.TRACES, b"a")])
    queue.put(Origin("w", 1), [(Signal.TRACES, b"a")])
    assert len(drained(queue)) == 1
    queue.put(Origin("w", 1), [(Signal.TRACES, b"a")])
    queue.put(Origin("v", 1), [(Signal.TRACES, b"of another writer")])
    assert drained(queue) == [(Signal.TRACES, b"of another writer")]


def test_the_next_process_finds_what_waits_and_what_was_delivered(tmp_path: Path) -> None:
    first = opened(tmp_path)
    for number in (1, 2, 3):
        first.put(Origin("w", number), [(Signal.LOGS, b"%d-a" % number), (Signal.LOGS, b"%d-b" % number)])
    for _ in range(3):
        first.done(oldest(first))
    first.release()  # as the kernel does when a process dies
    second = opened(tmp_path)
    for number in (1, 2, 3):
        second.put(Origin("w", number), [(Signal.LOGS, b"again")])
    assert second.bytes == 9
    second.put(Origin("w", 4), [(Signal.LOGS, b"4")])
    assert [request for _, request in drained(second)] == [b"2-b", b"3-a", b"3-b", b"4"]
    second.release()


def test_a_segment_whose_last_request_was_sent_before_the_process_died_is_not_taken_again(tmp_path: Path) -> None:
    first = opened(tmp_path)
    first.put(Origin("w", 7), [(Signal.LOGS, b"sent")])
    oldest(first).path.unlink()
    first.release()
    second = opened(tmp_path)
    second.put(Origin("w", 7), [(Signal.LOGS, b"sent")])
    assert drained(second) == []
    second.release()
    third = opened(tmp_path)
    third.put(Origin("w", 7), [(Signal.LOGS, b"sent")])
    assert drained(third) == []
    third.release()


def test_half_a_segment_that_a_crash_left_is_not_there(tmp_path: Path) -> None:
    draft = tmp_path / "waiting" / "draft"
    draft.mkdir(parents=True)
    (draft / "000000-traces.pb").write_bytes(b"half")
    queue = opened(tmp_path)
    assert queue.bytes == 0
    queue.put(Origin("w", 1), [(Signal.TRACES, b"whole")])
    assert drained(queue) == [(Signal.TRACES, b"whole")]
    queue.release()


def test_a_full_queue_takes_nothing_until_there_is_room(queue: SendingQueue) -> None:
    queue.put(Origin("w", 1), [(Signal.TRACES, b"x" * 900)])
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=r"900 bytes waiting of at most 1000.*queue_size"):
            queue.put(Origin("w", 2), [(Signal.TRACES, b"y" * 101)])
    queue.done(oldest(queue))
    queue.put(Origin("w", 2), [(Signal.TRACES, b"y" * 101)])
    assert drained(queue) == [(Signal.TRACES, b"y" * 101)]


def test_a_segment_larger_than_the_queue_goes_through_alone(queue: SendingQueue) -> None:
    queue.put(Origin("w", 1), [(Signal.TRACES, b"x" * 5_000)])
    assert queue.bytes == 5_000


def test_a_disk_that_does_not_take_a_segment_leaves_no_trace(queue: SendingQueue, tmp_path: Path) -> None:
    (tmp_path / "waiting").rename(tmp_path / "away")
    with pytest.raises(StoreUnavailable, match="cannot write to the sending queue"):
        queue.put(Origin("w", 1), [(Signal.TRACES, b"a")])
    assert queue.bytes == 0
    (tmp_path / "away").rename(tmp_path / "waiting")
    queue.put(Origin("w", 1), [(Signal.TRACES, b"a")])
    assert drained(queue) == [(Signal.TRACES, b"a")]


def test_what_is_set_aside_is_kept_and_does_not_wait(queue: SendingQueue, tmp_path: Path) -> None:
    queue.put(Origin("w", 1), [(Signal.TRACES, b"bad"), (Signal.TRACES, b"good")])
    kept = queue.set_aside(oldest(queue))
    assert kept is not None
    assert kept.read_bytes() == b"bad"
    assert kept.parent == tmp_path / "refused"
    assert drained(queue) == [(Signal.TRACES, b"good")]


def test_there_is_an_end_to_what_is_set_aside_until_somebody_clears_it(queue: SendingQueue) -> None:
    queue.put(Origin("w", 1), [(Signal.TRACES, content) for content in (b"x" * 900, b"y" * 100, b"z")])
    kept = queue.set_aside(oldest(queue))
    assert kept is not None
    assert queue.set_aside(oldest(queue)) is not None
    assert queue.set_aside(oldest(queue)) is None
    kept.unlink()
    assert queue.set_aside(oldest(queue)) is not None


def test_two_processes_do_not_send_the_same_queue(queue: SendingQueue, tmp_path: Path) -> None:
    with pytest.raises(CollectorError, match="in use by another collector"):
        opened(tmp_path)
    assert queue.bytes == 0


def test_a_ledger_that_cannot_be_read_is_said_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "delivered.json").write_text("{")
    with pytest.raises(CollectorError, match=r"delivered\.json cannot be read.*remove it"):
        opened(tmp_path)
