"""`infersight store compact`, `retain`, `verify` and `migrate`."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# pyarrow publishes no types.

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.support.collectors import query_store, wait_until

from infersight_analysis import cli
from infersight_analysis.verbs import store_upkeep
from infersight_collector.store.maintenance import alone
from infersight_collector.store.pins import pin
from infersight_collector.store.snapshot import Snapshot
from infersight_collector.store.wal import Origin
from infersight_collector.store.writer import Store

Run = Callable[..., Any]

START_NS = 1_772_359_200 * 10**9
HOUR_NS = 3_600 * 10**9
HOURS, PER_HOUR, ROWS = 3, 4, 100


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Three hours of logs, four small files each."""
    path = tmp_path / "store"
    opened = Store.open(path)
    for number in range(HOURS * PER_HOUR):
        start_ns = START_NS + number // PER_HOUR * HOUR_NS
        rows = {
            "time_ns": [start_ns + row for row in range(ROWS)],
            "observed_time_ns": [start_ns] * ROWS,
            "trace_id": [f"{number * ROWS + row:032x}" for row in range(ROWS)],
        }
        opened.write({"logs": pa.table(rows)}, Origin("w", number + 1))
    return path


def files(store: Path) -> list[str]:
    return Snapshot.of(store).files("logs")


def count(store: Path) -> int:
    return int(query_store(store, "select count(*) from logs")[0][0])


def test_compact_merges_everything_at_once(run: Run, store: Path) -> None:
    outcome = run("store", "compact", "--store", store)
    assert outcome.code == 0
    assert outcome.json == {
        "store": str(store),
        "merged_files": HOURS * PER_HOUR,
        "merged_rows": HOURS * PER_HOUR * ROWS,
        "deleted_files": 0,
        "deleted_bytes": 0,
        "problems": [],
    }
    assert (len(files(store)), count(store)) == (HOURS, HOURS * PER_HOUR * ROWS)
    outcome = run("store", "compact", "--store", store, "--format", "table", "--grace", "1ms")
    assert outcome.out.startswith("nothing to merge; ")
    assert outcome.out.endswith(" of unused files deleted\n")
    assert len(list(store.glob("logs/*/*/*"))) == HOURS


def test_compact_waits_for_the_maintenance_of_a_collector(store: Path) -> None:
    with alone(store) as is_alone:
        assert is_alone
        outcomes: list[Any] = []
        waiting = threading.Thread(target=lambda: outcomes.append(cli.run(["store", "compact", "--store", str(store)])))
        waiting.start()
        waiting.join(0.3)
        assert outcomes == []
    waiting.join()
    assert outcomes == [0]
    assert len(files(store)) == HOURS


def test_a_collector_that_does_not_stop_merging_is_told(run: Run, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_upkeep, "_WAIT_S", 0.1)
    with alone(store):
        outcome = run("store", "compact", "--store", store)
    assert outcome.code == 2
    assert "try again later" in outcome.err


def test_ctrl_c_in_a_compaction_loses_nothing(store: Path) -> None:
    command = [sys.executable, "-m", "infersight_analysis", "store", "compact", "--store", str(store)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        wait_until(lambda: list(store.glob("logs/*/*/sorted-*")) or child.poll() is not None)
        child.send_signal(signal.SIGINT)
        _, said = child.communicate()
    assert child.returncode in {0, 130}  # it may just have been done
    assert "Traceback" not in said
    assert count(store) == HOURS * PER_HOUR * ROWS


def test_retain_says_what_would_go_and_drops_it(run: Run, store: Path) -> None:
    kept = f"{5:032x}"
    pin(store, "p", reason="", trace_ids=[kept])
    planned = run("store", "retain", "--store", store, "--max-age", "1ms", "--dry-run")
    assert planned.code == 0
    assert planned.json["dropped"] == [
        {
            "table": "logs",
            "rows": HOURS * PER_HOUR * ROWS,
            "bytes": sum(Path(file).stat().st_size for file in files(store)),
        }
    ]
    assert (planned.json["from_time"], planned.json["to_time"]) == (
        "2026-03-01T10:00:00.000000000Z",
        "2026-03-01T13:00:00.000000000Z",
    )
    assert count(store) == HOURS * PER_HOUR * ROWS
    dropped = run("store", "retain", "--store", store, "--max-age", "1ms")
    assert [facts["rows"] for facts in dropped.json["dropped"]] == [HOURS * PER_HOUR * ROWS - 1]
    assert query_store(store, "select trace_id from logs") == [(kept,)]


def test_retain_by_size_drops_the_oldest_hours(run: Run, store: Path) -> None:
    size = sum(Path(file).stat().st_size for file in files(store))
    outcome = run("store", "retain", "--store", store, "--max-size", f"{size // 2}B", "--format", "table")
    assert outcome.code == 0
    assert "dropped of" in outcome.out
    hours = "select distinct (time_ns - 1772359200000000000) // 3600000000000 from logs order by 1"
    assert query_store(store, hours) == [(2,)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "say what may stay: --max-age 30d, --max-size 50GB, or both"),
        (["--max-size", "5 apples"], "'5 apples' is no size: write 500MB"),
        (["--max-age", "old"], "'old' is no duration"),
    ],
)
def test_retain_without_a_usable_rule_drops_nothing(run: Run, store: Path, options: list[str], said: str) -> None:
    outcome = run("store", "retain", "--store", store, *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err
    assert count(store) == HOURS * PER_HOUR * ROWS


def test_verify_ends_with_0_where_all_is_sound(run: Run, store: Path) -> None:
    outcome = run("store", "verify", "--store", store)
    assert outcome.code == 0
    assert (outcome.json["files"], outcome.json["damage"], outcome.json["notes"]) == (HOURS * PER_HOUR, [], [])
    assert outcome.json["bytes"] == sum(Path(file).stat().st_size for file in files(store))
    table = run("store", "verify", "--store", store, "--format", "table")
    assert table.out.endswith(": all sound\n")


def test_verify_ends_with_1_and_names_what_is_damaged(run: Run, store: Path) -> None:
    damaged = Path(files(store)[0])
    damaged.unlink()
    outcome = run("store", "verify", "--store", store)
    assert outcome.code == 1
    assert outcome.json["damage"] == [{"path": str(damaged), "problem": "it is missing", "rows": ROWS}]
    table = run("store", "verify", "--store", store, "--format", "table")
    assert table.code == 1
    assert table.out.splitlines()[0] == f"DAMAGE: {damaged}: it is missing (100 rows)"
    assert table.out.splitlines()[1].endswith(": 1 of them damaged")


def test_migrate_says_when_there_is_nothing_to_do(run: Run, store: Path) -> None:
    outcome = run("store", "migrate", "--store", store)
    assert (outcome.code, outcome.out) == (0, "the store had the present layout already\n")


@pytest.mark.parametrize(
    "command", ["compact", "retain --max-age 1d", "retain --max-age 1d --dry-run", "verify", "migrate"]
)
def test_a_place_without_a_store_is_told_in_one_line_and_left_as_it_is(run: Run, tmp_path: Path, command: str) -> None:
    outcome = run("store", *command.split(), "--store", tmp_path)
    assert outcome.code == 2
    assert outcome.err.startswith(f"no store at {tmp_path}: ")
    assert outcome.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
