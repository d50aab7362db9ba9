"""The write-ahead log: what was appended is read again, whatever happens to the process, the file or the disk."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infersight_collector.signals import Signal
from infersight_collector.store.errors import StoreFull
from infersight_collector.store.wal import Origin, Record, Segment, Wal, read


def record(number: int, size: int = 20) -> Record:
    return Record(list(Signal)[number % 3], f"{number:08d}".encode().ljust(size, b"\0"))


def number_of(found: Record) -> int:
    return int(found.request[:8])


@pytest.fixture
def segment(tmp_path: Path) -> Segment:
    """A segment with the records 0, 1 and 2."""
    wal = Wal.open(tmp_path)
    wal.append([record(0)])
    wal.append([record(1), record(2)])
    found = wal.rotate()
    assert found is not None
    return found


def test_records_are_read_in_the_order_they_were_appended(segment: Segment) -> None:
    assert read(segment) == ([record(0), record(1), record(2)], [])


def test_rotate_starts_the_next_segment_and_is_none_without_records(tmp_path: Path) -> None:
    wal = Wal.open(tmp_path)
    assert wal.rotate() is None
    wal.append([record(0)])
    assert wal.active_bytes > 0
    first = wal.rotate()
    assert wal.active_bytes == 0
    assert wal.rotate() is None
    wal.append([record(1)])
    second = wal.rotate()
    assert first is not None
    assert second is not None
    assert [first.origin, second.origin] == [Origin(wal.writer, 1), Origin(wal.writer, 2)]
    assert wal.segments() == [first, second]
    assert read(second) == ([record(1)], [])
    wal.remove(first)
    assert wal.segments() == [second]
    assert not first.path.exists()


@pytest.mark.parametrize("policy", ["always", "interval", "never"])
def test_every_thread_finds_its_records_in_the_log(tmp_path: Path, policy: str) -> None:
    wal = Wal.open(tmp_path, fsync=policy)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - parametrized
    numbers = range(400)

    def append(part: int) -> None:
        for number in numbers[part::8]:
            wal.append([record(number)])

    threads = [threading.Thread(target=append, args=(part,)) for part in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = wal.rotate()
    assert found is not None
    records, damage = read(found)
    assert sorted(map(number_of, records)) == list(numbers)
    assert damage == []


def test_appends_that_wait_for_the_disk_share_the_next_fsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wal = Wal.open(tmp_path)
    began, proceed = threading.Event(), threading.Event()
    syncs: list[int] = []
    real = os.fdatasync

    def slow(descriptor: int) -> None:
        syncs.append(descriptor)
        began.set()
        assert proceed.wait(30)
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", slow)
    threads = [threading.Thread(target=wal.append, args=([record(number)],)) for number in range(9)]
    threads[0].start()
    assert began.wait(30)
    for thread in threads[1:]:
        thread.start()
    while len(wal._pending) < 8:  # pyright: ignore[reportPrivateUsage] - the only sign that all eight wait
        threads[0].join(0.001)
    proceed.set()
    for thread in threads:
        thread.join()
    assert len(syncs) == 2


APPENDER = """
import sys
from pathlib import Path
from infersight_collector.signals import Signal
from infersight_collector.store.wal import Record, Wal

wal = Wal.open(Path(sys.argv[1]))
number = 0
while True:
    wal.append([Record(Signal.LOGS, f"{number:08d}".encode())])
    print(number, flush=True)
    number += 1
    if number % 7 == 0:
        wal.rotate()
"""


def test_a_new_writer_takes_over_every_acknowledged_record_of_a_killed_one(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", APPENDER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        printed = [child.stdout.readline() for _ in range(50)]
        assert Wal.open(tmp_path).segments() == [], "the log of a living writer is its own"
        child.send_signal(signal.SIGKILL)
        acknowledged = int([*printed, *child.stdout][-1]) + 1
    wal = Wal.open(tmp_path)
    adopted = wal.segments()
    numbers = [number_of(found) for segment in adopted for found in read(segment)[0]]
    assert numbers[:acknowledged] == list(range(acknowledged))
    assert len(numbers) <= acknowledged + 1
    assert {segment.origin.writer for segment in adopted} != {wal.writer}
    assert Wal.open(tmp_path).segments() == [], "what one writer took over is not given to a second"
    for segment in adopted:
        wal.remove(segment)
    assert not adopted[0].path.parent.exists()


def test_segments_that_were_not_removed_at_close_go_to_the_next_writer_with_their_origin(tmp_path: Path) -> None:
    first = Wal.open(tmp_path)
    first.append([record(0)])
    first.rotate()
    first.append([record(1)])
    first.close()
    origins = [segment.origin for segment in Wal.open(tmp_path).segments()]
    assert origins == [Origin(first.writer, 1), Origin(first.writer, 2)]


def test_a_closed_log_without_segments_leaves_nothing(tmp_path: Path) -> None:
    Wal.open(tmp_path).close()
    assert list((tmp_path / "wal").iterdir()) == []


def test_a_record_cut_off_at_any_byte_is_reported_as_torn(segment: Segment) -> None:
    data = segment.path.read_bytes()
    frame = len(data) // 3
    for length in range(2 * frame + 1, len(data)):
        segment.path.write_bytes(data[:length])
        records, damage = read(segment)
        assert records == [record(0), record(1)]
        assert [(found.offset, found.length, found.torn) for found in damage] == [(2 * frame, length - 2 * frame, True)]


def test_damage_at_any_byte_loses_only_the_record_it_is_in(segment: Segment) -> None:
    data = segment.path.read_bytes()
    frame = len(data) // 3
    for position in range(frame, 2 * frame):
        segment.path.write_bytes(data[:position] + bytes([data[position] ^ 0x41]) + data[position + 1 :])
        records, damage = read(segment)
        assert records == [record(0), record(2)]
        assert [(found.offset, found.length, found.torn) for found in damage] == [(frame, frame, False)]
        assert f"{segment.path}: damage, skipped, at byte {frame}" in str(damage[0])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.lists(st.binary(max_size=40) | st.sampled_from([b"\xf1WAL", b"\xf1WAL\0\0\0\0\0"]), max_size=6))
def test_no_bytes_make_reading_fail_and_all_are_accounted_for(tmp_path: Path, parts: list[bytes]) -> None:
    path = tmp_path / "000000000001.wal"
    path.write_bytes(b"".join(parts))
    records, damage = read(Segment(Origin("w", 1), path))
    assert sum(found.length for found in damage) + sum(13 + len(found.request) for found in records) == sum(
        map(len, parts)
    )


def test_a_full_disk_is_a_retryable_error_and_what_was_acknowledged_stays(tmp_path: Path) -> None:
    wal = Wal.open(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    accepted: list[int] = []

    def append_until_full() -> None:
        while True:
            wal.append([record(len(accepted), 300)])
            accepted.append(len(accepted))

    # The kernel ends a write to a file at this size with EFBIG, in the middle of a record.
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    try:
        with pytest.raises(StoreFull, match="no space left"):
            append_until_full()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    wal.append([record(99, 300)])
    wal.rotate()
    found = [read(segment) for segment in wal.segments()]
    assert [number_of(one) for records, _ in found for one in records] == [*accepted, 99]
    assert [damage for _, damage in found] == [[], []]


def test_a_record_full_of_what_looks_like_frames_costs_no_more_than_its_size_when_damaged(tmp_path: Path) -> None:
    wal = Wal.open(tmp_path)
    size = 2**21
    decoy = b"\xf1WAL\0" + (size // 2).to_bytes(4, "little") + b"sum "
    hostile = Record(Signal.TRACES, decoy * (size // len(decoy)))
    wal.append([hostile, record(1), record(2)])
    segment = wal.rotate()
    assert segment is not None
    content = bytearray(segment.path.read_bytes())
    content[size // 2] ^= 1
    segment.path.write_bytes(content)
    started = time.process_time()
    records, (damage,) = read(segment)
    assert time.process_time() - started < 5  # checking every one of them takes a minute and a half
    assert records == [record(1), record(2)]
    assert (damage.offset, damage.torn) == (0, False)
