"""The journal: what waits is cut into segments of bounded size, on disk and as rows."""

import shutil
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infersight_collector.journal import SEGMENT_MEMORY, Journal
from infersight_collector.signals import Signal
from infersight_collector.store.errors import StoreUnavailable
from infersight_collector.store.wal import Record, Wal, read

THIRD = SEGMENT_MEMORY // 3


@pytest.fixture
def journal(tmp_path: Path) -> Generator[Journal]:
    journal = Journal(Wal.open(tmp_path, fsync="never"), tmp_path, max_bytes=2**20)
    yield journal
    journal.close()


def sizes(journal: Journal) -> list[list[int]]:
    """Of each segment, the requests in it, which are numbers."""
    return [[int(bytes(record.request)) for record in read(segment)[0]] for segment in journal.take()]


def test_a_segment_is_finished_before_its_rows_would_take_too_much_memory(journal: Journal) -> None:
    for number in range(7):
        journal.append(Record(Signal.TRACES, b"%d" % number), THIRD)
    assert sizes(journal) == [[0, 1, 2], [3, 4, 5], [6]]


def test_a_record_as_large_as_a_segment_may_be_has_one_for_itself(journal: Journal) -> None:
    for memory in (1, SEGMENT_MEMORY, 1):
        journal.append(Record(Signal.TRACES, b"%d" % memory), memory)
    assert sizes(journal) == [[1], [SEGMENT_MEMORY], [1]]


def test_records_that_are_written_at_once_make_no_segment_too_large(journal: Journal) -> None:
    memories = [THIRD * (1 + number % 3) for number in range(60)]

    def send(memory: int) -> None:
        journal.append(Record(Signal.TRACES, b"%d" % memory), memory)

    with ThreadPoolExecutor(12) as senders:
        list(senders.map(send, memories))
    segments = sizes(journal)
    assert max(map(sum, segments)) <= SEGMENT_MEMORY
    assert sorted(memory for segment in segments for memory in segment) == sorted(memories)


def test_a_log_that_could_not_be_written_says_so_until_it_can_without_any_sender(
    journal: Journal, tmp_path: Path
) -> None:
    (directory,) = (tmp_path / "wal").iterdir()
    shutil.rmtree(directory)
    with pytest.raises(StoreUnavailable) as refused:
        journal.append(Record(Signal.TRACES, b"1"))
    assert journal.failure is refused.value
    assert journal.take() == []
    assert journal.failure is not None
    directory.mkdir()
    assert journal.take() == []
    assert journal.failure is None
    journal.append(Record(Signal.TRACES, b"2"))
    assert sizes(journal) == [[2]]
