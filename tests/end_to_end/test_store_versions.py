# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# (pyarrow publishes no type information)
"""Stores of every version that was ever written: read as they are, upgraded by a collector or by hand, gone on with."""

import json
import random
import signal
import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.collectors import StartCollector, wait_until
from tests.support.trace_reference import QUERY, Summary, ordered, summaries

from infersight_analysis import connect
from infersight_collector.store import unsummarised, upgrade
from infersight_collector.store.compaction import QUIET_MS, compact
from infersight_collector.store.errors import StoreError
from infersight_collector.store.layout import SCHEMA_VERSION, TIME_COLUMN
from infersight_collector.store.maintenance import Maintenance
from infersight_collector.store.migration import migrate
from infersight_collector.store.snapshot import Snapshot
from infersight_collector.store.tables import Table
from infersight_collector.store.wal import Wal
from infersight_collector.store.writer import Store

FIXTURES = Path(__file__).parents[1] / "collector" / "store" / "fixtures"
ARCHIVES = sorted(FIXTURES.glob("version-*.tar.xz"))
FIRST = FIXTURES / "version-1.tar.xz"
SPAN_COLUMNS = "trace_id, parent_span_id, start_time_ns, end_time_ns, service_name, name, status_code, sample_weight"

Rows = dict[str, int]


def unpack(archive: Path, folder: Path) -> tuple[Path, Rows]:
    """The store in an archive, and the numbers of rows that it has when its log is in the tables."""
    with tarfile.open(archive) as content:
        content.extractall(folder, filter="data")
    rows: Rows = json.loads((folder / "rows.json").read_text())
    return folder / "store", rows


def contents(store: Path) -> tuple[list[Summary], Counter[tuple[object, ...]], Rows]:
    """The traces, the spans, and the number of rows of each view; that the traces are those of the spans."""
    with connect(store) as connection:
        traces = ordered(connection.execute(QUERY).fetchall())
        spans = connection.execute(f"select {SPAN_COLUMNS} from spans").fetchall()
        counts = {
            view: connection.execute(f"select count(*) from {view}").fetchall()[0][0]
            for view in ("spans", "logs", "metrics", "exemplars")
        }
    names = SPAN_COLUMNS.split(", ")
    assert traces == summaries(dict(zip(names, span, strict=True)) for span in spans)
    return traces, Counter(spans), counts


@pytest.fixture(params=ARCHIVES, ids=lambda archive: archive.name.partition(".")[0])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Rows]:
    """A store of each version."""
    return unpack(request.param, tmp_path)


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A store of version 1."""
    return unpack(FIRST, tmp_path)[0]


def test_a_store_of_the_present_version_is_kept() -> None:
    assert (FIXTURES / f"version-{SCHEMA_VERSION}.tar.xz").exists(), "make it with fixtures/make.py"


def test_a_store_is_read_as_it_is(kept: tuple[Path, Rows]) -> None:
    store, rows = kept
    before = sorted(path for path in store.rglob("*"))
    traces, _, counts = contents(store)
    assert len(traces) > 100
    # What is still in the log is not in the tables.
    assert rows["logs"] - 60 < counts["logs"] < rows["logs"]
    with connect(store) as connection:
        delays = connection.execute(
            "select distinct epoch_ns(observed_time) - time_ns from logs order by all"
        ).fetchall()
    assert delays == [(0,), (70_000,), (None,)]
    assert sorted(path for path in store.rglob("*")) == before


def test_a_collector_goes_on_with_a_store_and_loses_and_doubles_nothing(
    kept: tuple[Path, Rows], start_collector: StartCollector
) -> None:
    """The log has a segment of which the spans are stored and the rest is not, and one that is not stored at all."""
    store, rows = kept
    _, stored, _ = contents(store)
    collector = start_collector(store=store)
    wait_until(lambda: contents(store)[2] == rows)
    wait_until(lambda: not (store / unsummarised.LIST).exists())
    traces, spans, counts = contents(store)
    assert stored <= spans
    assert collector.stop() == 0
    later_ms = time.time_ns() // 10**6 + QUIET_MS
    for name in TIME_COLUMN:
        while merges := list(compact(Table(store, name), now_ms=later_ms)):
            assert [merge.error for merge in merges] == [None] * len(merges)
    assert contents(store) == (traces, spans, counts)
    # Of two hours and of spans without a time; what little comes late does not rewrite a large file.
    assert len(Snapshot.of(store).files("traces")) <= 2 * 3
    assert (store / "VERSION").read_text() == f"infersight store {SCHEMA_VERSION}\n"


def test_migration_shows_the_same_after_each_step(kept: tuple[Path, Rows]) -> None:
    store, _ = kept
    before = contents(store)
    steps: list[upgrade.Progress] = []

    def look(progress: upgrade.Progress) -> None:
        steps.append(progress)
        assert contents(store) == before

    old = (store / "VERSION").read_text() == "infersight store 1\n"
    assert migrate(store, look) == old
    assert contents(store) == before
    assert [progress.problems for progress in steps] == [[]] * len(steps)
    assert bool(steps) == old
    assert not migrate(store)


def _nothing(_store: Path) -> Iterator[upgrade.Progress]:
    return iter(())


def test_files_that_are_not_summarised_are_not_merged(first: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(first)
    Store.open(first)
    files = set(Snapshot.of(first).files("spans"))
    monkeypatch.setattr(upgrade, "advance", _nothing)
    Maintenance(first).round()
    assert set(Snapshot.of(first).files("spans")) == files
    assert contents(first) == before
    monkeypatch.undo()
    Maintenance(first).round()
    assert len(Snapshot.of(first).files("spans")) < 10
    assert contents(first) == before


def test_migration_refuses_while_an_older_collector_writes(first: Path) -> None:
    older = Wal.open(first, adopt=False)
    with pytest.raises(StoreError, match=r"still writes to .*: stop it first"):
        migrate(first)
    with pytest.raises(StoreError, match="stop it first"):
        Store.open(first)
    assert (first / "VERSION").read_text() == "infersight store 1\n"
    older.close()
    assert migrate(first)


def test_a_damaged_file_is_named_and_does_not_stop_migration(first: Path) -> None:
    damaged = Path(Snapshot.of(first).files("spans")[0])
    content = bytearray(damaged.read_bytes())
    content[40:200] = bytes(160)
    damaged.write_bytes(content)
    problems: list[str] = []
    assert migrate(first, lambda progress: problems.extend(progress.problems))
    (problem,) = problems
    assert str(damaged) in problem
    assert not (first / unsummarised.LIST).exists()


MIGRATION = """
import sys
from pathlib import Path
from infersight_collector.store import upgrade
from infersight_collector.store.migration import migrate
upgrade.TOGETHER = 30
print("ready", flush=True)
migrate(Path(sys.argv[1]), lambda progress: print(progress, flush=True))
"""


def test_migration_killed_at_any_moment_and_repeated_shows_the_same(first: Path) -> None:
    before = contents(first)
    chance = random.Random(6)
    for _ in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", MIGRATION, str(first)], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            time.sleep(chance.uniform(0, 0.15))  # the moment is arbitrary; nothing is waited for
            child.send_signal(signal.SIGKILL)
        assert contents(first) == before
    migrate(first)
    assert contents(first) == before


def test_a_store_of_a_later_version_is_refused_in_one_line(first: Path) -> None:
    (first / "VERSION").write_text(f"infersight store {SCHEMA_VERSION + 1}\n")
    for refuse in (connect, Store.open, migrate):
        with pytest.raises(StoreError, match=r"^[^\n]*: upgrade infersight to open it$"):
            refuse(first)
