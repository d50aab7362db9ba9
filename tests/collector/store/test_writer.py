"""Writing: every row is in the tables exactly once, whatever is repeated, killed or written beside it."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.support.disks import small_file_system

from infersight_collector.store.errors import StoreFull
from infersight_collector.store.files import NEW, SORTED
from infersight_collector.store.layout import COLUMN_TYPES, JSON_MARK
from infersight_collector.store.order import in_order
from infersight_collector.store.schema import COLUMNS, JSON_FIELD
from infersight_collector.store.snapshot import Snapshot
from infersight_collector.store.tables import CHECKPOINT_EVERY
from infersight_collector.store.wal import Origin
from infersight_collector.store.writer import SORTED_ROWS, Store

Spans = Callable[..., pa.Table]
Query = Callable[..., list[tuple[Any, ...]]]

LEFT_OUT = {"observed_time_ns": "coalesce(observed_time_ns, time_ns + observed_delay_ns)"}

NUMBERS = "select count(*), count(distinct attributes['number']) from rows"


def test_rows_of_every_table_come_back_as_they_were(tmp_path: Path, query: Query) -> None:
    marked = pa.field("list", pa.string(), metadata=JSON_FIELD)
    attributes = pa.StructArray.from_arrays(
        [pa.array(["[1]"]), pa.array(["é\n"]), pa.array([2**63 - 1]), pa.array([0.1]), pa.array([b"\xff"])],
        fields=[marked, pa.field("text", pa.string()), pa.field("n", pa.int64()), pa.field("d", pa.float64()),
                pa.field("raw", pa.binary())],
    )  # fmt: skip
    samples: dict[pa.DataType, Any] = {
        pa.string(): "text", pa.int64(): 1_772_359_200 * 10**9, pa.int32(): 7, pa.float64(): 0.5, pa.bool_(): True,
        pa.list_(pa.float64()): [0.5, 1.0], pa.list_(pa.int64()): [1, 2],
    }  # fmt: skip
    rows: dict[str, pa.Table] = {}
    for name, schema in COLUMNS.items():
        values = [
            pa.array([samples.get(field.type, [{"quantile": 0.5, "value": 1.0}])], field.type) for field in schema
        ]
        rows[name] = pa.table(values, schema=schema).append_column("attributes", attributes)
    Store.open(tmp_path).write(rows, Origin("w", 1))
    for name, written in rows.items():
        names = ", ".join(LEFT_OUT.get(column, f'"{column}"') for column in written.column_names)
        found = query(tmp_path, f"select {names} from rows", name)
        assert [dict(zip(written.column_names, row, strict=True)) for row in found] == written.to_pylist()
        fields = {field["name"]: field["type"] for field in Snapshot.of(tmp_path).fields(name)}
        named = {column: kind for column, kind in COLUMN_TYPES[name].items() if isinstance(kind, str)}
        assert {column: fields[column] for column in named} == named
        stored: Any = fields.pop("attributes")
        assert list(fields) == list(COLUMN_TYPES[name])
        assert next(field for field in stored["fields"] if field["name"] == "list")["metadata"] == dict([JSON_MARK])


def test_a_large_write_is_sorted_and_a_small_one_is_not(tmp_path: Path, spans: Spans) -> None:
    store = Store.open(tmp_path)
    large = spans(0, SORTED_ROWS)
    shuffled = large.take(random.Random(7).sample(range(SORTED_ROWS), SORTED_ROWS))
    store.write({"spans": shuffled}, Origin("w", 1))
    store.write({"spans": shuffled.slice(0, 100)}, Origin("w", 2))
    by_rows = {pq.ParquetFile(path).metadata.num_rows: Path(path) for path in Snapshot.of(tmp_path).files("spans")}
    assert by_rows[SORTED_ROWS].name.startswith(SORTED)
    assert by_rows[100].name.startswith(NEW)
    stored = pq.ParquetFile(by_rows[SORTED_ROWS]).read(["trace_id", "start_time_ns", "span_id"])
    assert stored.equals(in_order(large, "spans").select(stored.column_names))


def test_late_rows_go_to_their_own_hour_whatever_came_before(tmp_path: Path, spans: Spans, query: Query) -> None:
    store = Store.open(tmp_path)
    hour_ns, start_ns = 3_600 * 10**9, 1_772_359_200 * 10**9
    for number, hour in enumerate((3, 0, 2, 0), start=1):
        store.write({"spans": spans(number * 5, start_ns=start_ns + hour * hour_ns)}, Origin("w", number))
    hours = [Path(path).parent.name for path in Snapshot.of(tmp_path).files("spans")]
    assert sorted(hours) == ["hour=10", "hour=10", "hour=12", "hour=13"]
    assert query(tmp_path, NUMBERS) == [(20, 20)]


def test_a_segment_that_is_written_again_is_skipped(tmp_path: Path, spans: Spans, query: Query) -> None:
    store = Store.open(tmp_path)
    for number in (1, 2, 2, 1):
        store.write({"spans": spans(number * 10)}, Origin("w", number))
    Store.open(tmp_path).write({"spans": spans(20)}, Origin("w", 2))
    Store.open(tmp_path).write({"spans": spans(30)}, Origin("another", 1))
    assert query(tmp_path, NUMBERS) == [(15, 15)]


def test_a_write_that_reached_some_tables_is_completed_by_repeating_it(
    tmp_path: Path, spans: Spans, query: Query
) -> None:
    logs = pa.table({"time_ns": pa.array([1_772_359_200 * 10**9]), "body": ["x"]})
    Store.open(tmp_path).write({"spans": spans(0)}, Origin("w", 1))
    Store.open(tmp_path).write({"spans": spans(0), "logs": logs}, Origin("w", 1))
    assert query(tmp_path, NUMBERS) == [(5, 5)]
    assert query(tmp_path, "select count(*) from rows", "logs") == [(1,)]


def test_the_first_type_of_a_key_is_its_type_in_every_file(tmp_path: Path, query: Query) -> None:
    store = Store.open(tmp_path)
    for number, value in enumerate([1, "text", 2.5, 3], start=1):
        rows = pa.table({"time_ns": [number], "attributes": pa.array([{"k": value}])})
        store.write({"logs": rows}, Origin("w", number))
    found = query(tmp_path, "select time_ns, attributes['k'], attributes_other from rows order by all", "logs")
    assert found == [(1, 1, None), (2, None, '{"k":"text"}'), (3, None, '{"k":2.5}'), (4, 3, None)]


def test_two_stores_that_look_at_the_same_time_agree_on_types(tmp_path: Path, query: Query) -> None:
    """Each has seen the table before the other one adds a key."""
    stores = [Store.open(tmp_path), Store.open(tmp_path)]
    for index, store in enumerate(stores):
        store.write({"logs": pa.table({"time_ns": [index]})}, Origin(f"w{index}", 1))
    for index, value in enumerate([1, "text"]):
        rows = pa.table({"time_ns": [index], "attributes": pa.array([{"k": value, f"own{index}": True}])})
        stores[index].write({"logs": rows}, Origin(f"w{index}", 2))
    found = query(tmp_path, "select attributes['k'], attributes_other from rows where attributes is not null", "logs")
    assert sorted(found, key=str) == [(1, None), (None, '{"k":"text"}')]


WRITER = """
import sys
from pathlib import Path
from infersight_collector.store.wal import Origin
from infersight_collector.store.writer import SORTED_ROWS, Store
sys.path.insert(0, sys.argv[1])
from conftest import make_spans

store, writer, first = Store.open(Path(sys.argv[2])), sys.argv[3], int(sys.argv[4])
for number in range(first, int(sys.argv[5])):
    print(number, flush=True)
    store.write({"spans": make_spans(number * 5), "logs": make_spans(number * 5).rename_columns(
        {"start_time_ns": "time_ns"}).drop_columns("events")}, Origin(writer, number))
"""


def start_writer(store: Path, writer: str, first: int, end: int) -> subprocess.Popen[str]:
    arguments = [str(Path(__file__).parent), str(store), writer, str(first), str(end)]
    return subprocess.Popen([sys.executable, "-c", WRITER, *arguments], stdout=subprocess.PIPE, text=True)


def test_several_processes_write_to_one_store(tmp_path: Path, query: Query) -> None:
    children = [start_writer(tmp_path, f"w{index}", 1 + 20 * index, 21 + 20 * index) for index in range(3)]
    for child in children:
        child.communicate(timeout=60)
        assert child.returncode == 0
    for table in ("spans", "logs"):
        assert query(tmp_path, NUMBERS, table) == [(300, 300)]


def test_a_writer_killed_at_any_moment_and_started_again_writes_each_row_once(tmp_path: Path, query: Query) -> None:
    moments = random.Random(5)
    number, last = 1, 40
    for _ in range(5):
        with start_writer(tmp_path, "w", number, last + 1) as child:
            assert child.stdout is not None
            number = int(child.stdout.readline())
            time.sleep(moments.uniform(0.0, 0.15))  # the moment is arbitrary; nothing is waited for
            child.send_signal(signal.SIGKILL)
            number = max([number, *map(int, child.stdout)])
    with start_writer(tmp_path, "w", number, last + 1) as child:
        child.communicate(timeout=60)
    for table in ("spans", "logs"):
        assert query(tmp_path, NUMBERS, table) == [(5 * last, 5 * last)]


RELATED = """
import sys
from pathlib import Path
import pyarrow as pa
from infersight_collector.store.wal import Origin
from infersight_collector.store.writer import Store
sys.path.insert(0, sys.argv[1])
from conftest import make_spans

store = Store.open(Path(sys.argv[2]))
for number in range(1, 41):
    spans = make_spans(number * 5)
    related = spans.select(["trace_id"]).append_column("time_ns", spans["start_time_ns"])
    store.write({"spans": spans, "logs": related, "exemplars": related}, Origin("w", number))
"""


def test_whoever_sees_a_span_sees_its_summary_its_logs_and_its_exemplars(tmp_path: Path, query: Query) -> None:
    """They are in tables of their own, each with commits of its own, and another process writes without pause."""
    Store.open(tmp_path)
    seen: list[int] = []
    with subprocess.Popen([sys.executable, "-c", RELATED, str(Path(__file__).parent), str(tmp_path)]) as child:
        while child.poll() is None:
            snapshot = Snapshot.of(tmp_path)
            if not snapshot.files("spans"):
                continue
            ids = [
                {trace_id for (trace_id,) in query(snapshot, "select trace_id from rows", name)}
                for name in ("spans", "traces", "logs", "exemplars")
            ]
            assert all(ids[0] <= others for others in ids[1:])
            seen.append(len(ids[0]))
    assert child.returncode == 0
    assert len(set(seen)) > 3


def test_the_log_of_a_table_stays_short_between_checkpoints(tmp_path: Path, spans: Spans) -> None:
    store = Store.open(tmp_path)
    for number in range(CHECKPOINT_EVERY + 5):
        store.write({"spans": spans(number * 5)}, Origin("w", number))
    assert (tmp_path / "spans" / "_delta_log" / "_last_checkpoint").exists()
    assert len(list((tmp_path / "spans" / "_delta_log").glob("*.checkpoint.parquet"))) == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    with small_file_system(tmp_path / "disk", 2) as disk:
        yield disk


def test_a_full_disk_loses_nothing_and_writing_resumes_when_there_is_room(
    small_disk: Path, spans: Spans, query: Query
) -> None:
    store = Store.open(small_disk / "store")
    filler = small_disk / "filler"
    store.write({"spans": spans(0)}, Origin("w", 1))
    filler.write_bytes(bytes(os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize - 100_000))
    number = 1

    def write_until_full() -> None:
        nonlocal number
        while True:
            number += 1
            store.write({"spans": spans(number * 5 - 5)}, Origin("w", number))

    with pytest.raises(StoreFull, match="no space left"):
        write_until_full()
    with pytest.raises(StoreFull):
        store.write({"spans": spans(number * 5 - 5)}, Origin("w", number))
    rows = query(small_disk / "store", NUMBERS)[0][0]
    assert rows in {5 * (number - 1), 5 * number}
    filler.unlink()
    store.write({"spans": spans(number * 5 - 5)}, Origin("w", number))
    assert query(small_disk / "store", NUMBERS) == [(5 * number, 5 * number)]
