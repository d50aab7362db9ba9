"""Compaction: fewer, sorted files with the same rows, and no reader ever notices."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

import os
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from infersight_collector.store import compaction, merge
from infersight_collector.store.compaction import (
    FAN_IN,
    GROWING_ROWS,
    MAX_FILE_ROWS,
    NEW_FILES,
    QUIET_MS,
    WAITING_FILES,
    choose,
)
from infersight_collector.store.files import NEW, ROW_GROUP_ROWS, SORTED, write_file
from infersight_collector.store.live import File
from infersight_collector.store.maintenance import Maintenance, Report, alone
from infersight_collector.store.order import sort
from infersight_collector.store.partitions import Partition
from infersight_collector.store.snapshot import Snapshot
from infersight_collector.store.wal import Origin
from infersight_collector.store.writer import Store

Spans = Callable[..., pa.Table]
Query = Callable[..., list[tuple[Any, ...]]]

NUMBERS = "select count(*), count(distinct attributes['number']) from rows"
NOW_MS = 10**12


def files(kind: str, *rows: int, age_ms: int = 0, size: int = 1) -> list[File]:
    partition = Partition("2026-03-01", "10")
    return [
        File(f"{partition.directory}/{kind}-{index}.parquet", partition, count, size, NOW_MS - age_ms)
        for index, count in enumerate(rows)
    ]


def rows_of(groups: list[list[File]]) -> list[list[int]]:
    return [[file.rows for file in group] for group in groups]


def test_new_files_are_sorted_together_once_there_are_a_few() -> None:
    assert choose(files("new", *[5] * (NEW_FILES - 1)), NOW_MS) == []
    assert rows_of(choose(files("new", *[5] * NEW_FILES), NOW_MS)) == [[5] * NEW_FILES]


def test_new_files_are_sorted_in_groups_that_fit_into_memory() -> None:
    many = [compaction.SORT_ROWS // 2] * NEW_FILES
    assert [len(group) for group in choose(files("new", *many), NOW_MS)] == [2] * (NEW_FILES // 2)
    large = choose(files("new", *[compaction.SORT_ROWS * 3] * NEW_FILES), NOW_MS)
    assert [len(group) for group in large] == [1] * NEW_FILES
    wide = choose(files("new", *[5] * NEW_FILES, size=compaction.SORT_SIZE // 4), NOW_MS)
    assert [len(group) for group in wide] == [4] * (NEW_FILES // 4)


def test_sorted_files_of_one_size_are_merged_once_there_are_a_few() -> None:
    assert choose(files("sorted", *[1_000] * (FAN_IN - 1), 100, 100_000), NOW_MS) == []
    assert rows_of(choose(files("sorted", *[1_000] * FAN_IN, 100, 100_000), NOW_MS)) == [[1_000] * FAN_IN]


def test_under_full_load_more_files_wait_but_no_end_of_them() -> None:
    assert choose(files("sorted", *[70_000] * (WAITING_FILES - 1)), NOW_MS, busy=True) == []
    groups = choose(files("sorted", *[70_000] * WAITING_FILES), NOW_MS, busy=True)
    assert rows_of(groups) == [[70_000] * FAN_IN] * (WAITING_FILES // FAN_IN)
    assert rows_of(choose(files("new", *[5] * NEW_FILES), NOW_MS, busy=True)) == [[5] * NEW_FILES]


def test_a_merge_holds_no_more_than_so_many_files_open() -> None:
    many = choose(files("sorted", *[1_000] * (2 * FAN_IN + 1)), NOW_MS)
    assert rows_of(many) == [[1_000] * FAN_IN] * 2


def test_a_quiet_partition_is_merged_into_few_files() -> None:
    assert rows_of(choose(files("new", 5, age_ms=QUIET_MS), NOW_MS)) == [[5]]
    assert rows_of(choose(files("sorted", 3_000, 1_000, 2_000, age_ms=QUIET_MS), NOW_MS)) == [[1_000, 2_000, 3_000]]
    assert choose(files("sorted", 400_000, age_ms=QUIET_MS), NOW_MS) == []


def test_a_few_late_rows_do_not_rewrite_a_large_file() -> None:
    assert rows_of(choose(files("sorted", 400_000, 1, 2, age_ms=QUIET_MS), NOW_MS)) == [[1, 2]]


def test_no_merged_file_grows_beyond_the_limit() -> None:
    later = NOW_MS + QUIET_MS
    groups = choose(files("sorted", *[MAX_FILE_ROWS // 3] * 9), later)
    assert [sum(rows) <= MAX_FILE_ROWS for rows in rows_of(groups)] == [True] * 3


def test_large_files_wait_until_their_partition_no_longer_grows() -> None:
    large = files("sorted", *[GROWING_ROWS] * FAN_IN)
    assert choose(large, NOW_MS) == []
    assert rows_of(choose(large, NOW_MS + QUIET_MS)) == [[GROWING_ROWS] * FAN_IN]
    assert choose(files("sorted", *[MAX_FILE_ROWS // 2] * 9), NOW_MS) == []


@pytest.mark.parametrize("nulls", [0.0, 0.3, 1.0])
def test_merging_sorted_files_is_sorting_their_rows(tmp_path: Path, nulls: float) -> None:
    chance = random.Random(3)
    keys = ("trace_id", "time_ns")
    paths: list[Path] = []
    for index, count in enumerate([40_000, 1, 70_000, 33_000]):
        traces = [None if chance.random() < nulls else f"{chance.randrange(5_000):04x}" for _ in range(count)]
        times = [None if chance.random() < nulls / 2 else chance.randrange(100) for _ in range(count)]
        table = pa.table(
            {
                "trace_id": pa.array(traces, pa.string()),
                "time_ns": pa.array(times, pa.int64()),
                f"only{index}": [index] * count,
            }
        )
        paths.append(tmp_path / f"{index}.parquet")
        pq.write_table(sort(table, keys), paths[-1])
    parts = list(merge.merge_sorted(paths, keys))
    assert [part.num_rows for part in parts] == [*[ROW_GROUP_ROWS] * 2, 143_001 - 2 * ROW_GROUP_ROWS]
    merged = pa.concat_tables(parts)
    expected = pa.concat_tables(merge.merge_unsorted(paths, keys))
    assert merged.select(keys).equals(expected.select(keys))
    assert merged.schema.equals(merge.merged_schema(paths))
    everything = [(name, "ascending") for name in merged.column_names]
    assert merged.sort_by(everything).equals(expected.sort_by(everything))


def with_texts(chance: random.Random, count: int, *, sparse: bool) -> pa.Table:
    """Rows whose texts repeat a lot, are all different, become more and more, or are absent."""
    few = [chance.choice(["GET", "POST", None]) for _ in range(count)]
    kinds = {
        "few": pa.array(few, pa.string()),
        "unique": pa.array([f"{chance.getrandbits(64):016x}" for _ in range(count)]),
        "growing": pa.array([f"user-{chance.randrange(1 + number // 10)}" for number in range(count)]),
        "empty": pa.nulls(count, pa.string()),
    }
    if sparse:
        kinds["only here"] = pa.array(["cuda:0" if chance.random() < 0.5 else None for _ in range(count)])
    events = [[{"name": chance.choice(["error", "retry"])}] * chance.randrange(3) for _ in range(count)]
    return pa.table(
        {
            "trace_id": [f"{chance.getrandbits(128):032x}" for _ in range(count)],
            "start_time_ns": pa.array(range(count), pa.int64()),
            "span_id": [f"{number:016x}" for number in range(count)],
            "attributes": pa.StructArray.from_arrays(list(kinds.values()), names=list(kinds)),
            "events": events,
        }
    )


@pytest.mark.parametrize("kind", [NEW, SORTED])
def test_texts_that_repeat_are_merged_as_numbers_and_stay_what_they_are(tmp_path: Path, kind: str) -> None:
    chance = random.Random(5)
    keys = ("trace_id", "start_time_ns")
    folder, partition = tmp_path / "spans", Partition("2026-03-01", "10")
    paths: list[Path] = []
    for number, count in enumerate([70_000, 20, 9_000]):
        rows = sort(with_texts(chance, count, sparse=number == 1), keys)
        paths.append(folder / write_file(folder, partition, kind, rows.schema, [rows]).path)
    coded = merge.coded_texts(paths, keys)
    assert coded == ["attributes.empty", "attributes.few", "attributes.only here", "events.list.element.name"]
    combine = merge.merge_unsorted if kind == NEW else merge.merge_sorted
    action = write_file(folder, partition, SORTED, merge.merged_schema(paths, coded), combine(paths, keys, coded))
    written = pq.ParquetFile(folder / action.path)
    expected = pa.concat_tables(combine(paths, keys))
    assert written.read().equals(expected)
    assert written.schema_arrow.equals(merge.merged_schema(paths))
    # and they are still numbers where they were
    assert merge.coded_texts([folder / action.path], keys) == coded


def test_a_changed_byte_is_not_merged_into_a_file_that_looks_intact(tmp_path: Path) -> None:
    folder, partition = tmp_path / "spans", Partition("2026-03-01", "10")
    rows = sort(with_texts(random.Random(5), 5_000, sparse=False), ("trace_id", "start_time_ns"))
    paths = [folder / write_file(folder, partition, SORTED, rows.schema, [rows]).path for _ in range(2)]
    content = bytearray(paths[1].read_bytes())
    content[len(content) // 2] ^= 1
    paths[1].write_bytes(content)
    with pytest.raises(OSError, match=r"(?i)crc"):
        list(merge.merge_sorted(paths, ("trace_id", "start_time_ns")))


def test_row_groups_of_wide_rows_are_bounded_in_size(tmp_path: Path) -> None:
    chance = random.Random(3)
    paths = [tmp_path / f"{index}.parquet" for index in range(6)]
    for path in paths:
        bodies = [chance.randbytes(10_000).hex() for _ in range(1_500)]
        table = pa.table({"trace_id": sorted(body[:32] for body in bodies), "time_ns": range(1_500), "body": bodies})
        pq.write_table(table, path)
    parts = list(merge.merge_sorted(paths, ("trace_id", "time_ns")))
    assert sum(part.num_rows for part in parts) == 6 * 1_500
    assert len(parts) == 3
    assert max(part.nbytes for part in parts) < 80 * 2**20  # of 180


@pytest.fixture
def store(tmp_path: Path, spans: Spans) -> Store:
    """A store with as many new files as are sorted together."""
    opened = Store.open(tmp_path)
    for number in range(NEW_FILES):
        opened.write({"spans": spans(number * 5)}, Origin("w", number + 1))
    return opened


def maintain(store: Store, grace_s: float = 3_600.0) -> Report:
    """One round of maintenance, the first one of its process."""
    return Maintenance(store.path, grace_s).round()


def parquet_files(store: Store) -> list[Path]:
    return sorted(store.path.glob("spans/date=*/hour=*/*.parquet"))


def test_the_same_rows_are_in_one_file_sorted_by_trace(store: Store, query: Query) -> None:
    before = query(store.path, "select * exclude (attributes), attributes['number'] from rows order by span_id")
    report = maintain(store)
    # the spans, and the summaries of their traces
    assert (report.merged_files, report.merged_rows, report.problems) == (2 * NEW_FILES, 2 * 5 * NEW_FILES, [])
    (file,) = Snapshot.of(store.path).files("spans")
    traces = pq.ParquetFile(file).read(["trace_id"])["trace_id"].to_pylist()
    assert traces == sorted(traces)
    assert query(store.path, "select * exclude (attributes), attributes['number'] from rows order by span_id") == before
    assert Snapshot.of(store.path).files("spans", trace_id=traces[7]) == [file]
    assert maintain(store).merged_files == 0


def test_a_query_over_an_older_snapshot_still_finds_its_files(store: Store, query: Query) -> None:
    older = Snapshot.of(store.path)
    for file in parquet_files(store):
        os.utime(file, (0, 0))  # the grace period begins when a file leaves the table, however old it is
    maintain(store)
    assert maintain(store).deleted_files == 0
    assert query(older, NUMBERS) == [(5 * NEW_FILES, 5 * NEW_FILES)]


def test_unused_files_are_deleted_after_the_grace_period(store: Store, query: Query) -> None:
    orphan = parquet_files(store)[0].with_name("new-left-by-a-killed-writer.parquet")
    orphan.touch()
    maintain(store)
    assert len(parquet_files(store)) == NEW_FILES + 2
    assert maintain(store, grace_s=0).deleted_files == 2 * NEW_FILES + 1
    assert list(map(str, parquet_files(store))) == Snapshot.of(store.path).files("spans")
    assert query(store.path, NUMBERS) == [(5 * NEW_FILES, 5 * NEW_FILES)]


def test_a_damaged_file_is_named_and_does_not_stop_the_rest(store: Store, spans: Spans) -> None:
    for number in range(NEW_FILES):
        rows = spans(number * 5, start_ns=1_772_359_200 * 10**9 + 3_600 * 10**9)
        store.write({"spans": rows}, Origin("w", NEW_FILES + number + 1))
    damaged = parquet_files(store)[0]
    damaged.write_bytes(damaged.read_bytes()[:-100])
    report = maintain(store)
    assert report.merged_files == 2 * 2 * NEW_FILES - NEW_FILES
    (problem,) = report.problems
    assert damaged.name in problem
    assert damaged.exists()


def test_files_beside_a_damaged_one_are_merged_in_the_next_round(store: Store, spans: Spans) -> None:
    damaged = parquet_files(store)[0]
    damaged.write_bytes(damaged.read_bytes()[:-100])
    store.write({"spans": spans(5 * NEW_FILES)}, Origin("w", NEW_FILES + 1))
    maintenance = Maintenance(store.path)
    (problem,) = maintenance.round().problems
    assert problem.startswith(f"{damaged} is damaged and left as it is: it has ")
    report = maintenance.round()
    assert (report.merged_files, report.problems) == (NEW_FILES, [])
    assert str(damaged) in Snapshot.of(store.path).files("spans")


def is_summed_up(store: Store) -> bool:
    """Whether the log of the spans has a checkpoint of its last commit."""
    version = Snapshot.of(store.path).version["spans"]
    return (store.path / "spans" / "_delta_log" / f"{version:020d}.checkpoint.parquet").exists()


def test_the_log_of_a_table_that_rests_is_summed_up(
    store: Store, spans: Spans, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infersight_collector.store.maintenance.REST_S", 0.0)
    maintenance = Maintenance(store.path)
    assert maintenance.round().merged_files
    assert not is_summed_up(store)
    maintenance.round()
    assert is_summed_up(store)
    store.write({"spans": spans(5 * NEW_FILES)}, Origin("w", NEW_FILES + 1))
    maintenance.round()
    assert not is_summed_up(store)
    assert query(store.path, NUMBERS) == [(5 * NEW_FILES + 5, 5 * NEW_FILES + 5)]


def test_a_log_is_not_summed_up_while_a_table_is_written(store: Store) -> None:
    maintenance = Maintenance(store.path)
    for _ in range(3):
        assert maintenance.round().problems == []
    assert not is_summed_up(store)


def test_merging_everything_leaves_a_log_that_is_summed_up(store: Store, query: Query) -> None:
    report = Report()
    list(Maintenance(store.path).merge(report, all_now=True))
    assert report.problems == []
    assert is_summed_up(store)
    assert query(store.path, NUMBERS) == [(5 * NEW_FILES, 5 * NEW_FILES)]


def test_only_one_process_maintains_a_store(store: Store) -> None:
    with alone(store.path) as is_alone:  # stands for another process
        assert is_alone
        assert maintain(store).merged_files == 0
    assert maintain(store).merged_files == 2 * NEW_FILES


def test_readers_never_see_a_row_lost_or_doubled(store: Store, spans: Spans, query: Query) -> None:
    """A reader counts in a loop while a writer appends and everything is compacted, without pause."""
    done = threading.Event()
    counts: list[tuple[Any, ...]] = []
    failures: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            while not done.is_set():
                work()
        except BaseException as error:  # noqa: BLE001 - shown by the test
            failures.append(error)

    threads = [
        threading.Thread(target=run, args=(work,))
        for work in (lambda: counts.extend(query(store.path, NUMBERS)), lambda: problems(maintain(store)))
    ]

    def problems(report: Report) -> None:
        assert report.problems == []

    for thread in threads:
        thread.start()
    last = NEW_FILES * 6
    for number in range(NEW_FILES, last):
        store.write({"spans": spans(number * 5)}, Origin("w", number + 1))
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(counts) > 3
    assert all(rows == distinct for rows, distinct in counts)
    assert counts == sorted(counts)
    maintain(store)
    assert query(store.path, NUMBERS) == [(5 * last, 5 * last)]
    assert len(Snapshot.of(store.path).files("spans")) < NEW_FILES + FAN_IN
