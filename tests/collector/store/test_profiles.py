"""Profiles beside the tables: they go with their hours, unless something holds them, and damage to them is found."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

import json
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from infersight_collector.store import profiles
from infersight_collector.store.duplicate import Duplicate
from infersight_collector.store.maintenance import Maintenance, Report
from infersight_collector.store.pins import pin, pins, unpin
from infersight_collector.store.retention import Dropped, Retention
from infersight_collector.store.snapshot import Snapshot
from infersight_collector.store.verify import Verification
from infersight_collector.store.wal import Origin
from infersight_collector.store.writer import Store

START_NS = 1_772_359_200 * 10**9  # 2026-03-01T10:00:00Z
HOUR_NS = 3_600 * 10**9
ALL_OLD = Retention(max_age_s=3_600.0)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with a profile of half a minute in each of three hours: `cpu-0`, `cpu-1` and `cpu-2`."""
    Store.open(tmp_path / "store")
    for hour in range(3):
        add(tmp_path / "store", f"cpu-{hour}", START_NS + hour * HOUR_NS)
    return tmp_path / "store"


def add(store: Path, name: str, start_ns: int) -> Path:
    path = store / profiles.DIRECTORY / name
    path.mkdir(parents=True)
    contents = {"profile.speedscope.json": b"{}" * 50, profiles.FOLDED: b"main;work 3\n"}
    for file, content in contents.items():
        (path / file).write_bytes(content)
    original, folded = (sha256(content).hexdigest() for content in contents.values())
    manifest: dict[str, Any] = {"start_ns": start_ns, "end_ns": start_ns + 30 * 10**9}
    manifest |= {"original": "profile.speedscope.json", "sha256": original, "folded_sha256": folded}
    (path / profiles.MANIFEST).write_text(json.dumps(manifest))
    return path


def left(store: Path) -> list[str]:
    return sorted(path.name for path in (store / profiles.DIRECTORY).iterdir())


def retain(store: Path, rules: Retention) -> Report:
    report = Report()
    Maintenance(store).retain(rules, report)
    return report


def test_profiles_that_are_too_old_go(store: Path) -> None:
    size = sum(profile.size for profile in profiles.stored(store))
    assert retain(store, Retention(max_age_s=10**10)).dropped == {}
    report = retain(store, ALL_OLD)
    assert (report.dropped, report.problems) == ({"profiles": Dropped(3, size)}, [])
    assert left(store) == []


def test_the_oldest_profiles_go_with_their_hours_until_the_rest_is_small_enough(
    store: Path, spans: Callable[..., pa.Table]
) -> None:
    Store(store).write({"spans": spans(0, start_ns=START_NS + 2 * HOUR_NS)}, Origin("w", 1))
    maintenance = Maintenance(store)
    everything = maintenance.plan(Retention(), Report()).kept_bytes
    one = profiles.stored(store)[0].size
    assert retain(store, Retention(max_bytes=everything)).dropped == {}
    assert retain(store, Retention(max_bytes=everything - one - 1)).dropped == {"profiles": Dropped(2, 2 * one)}
    assert left(store) == ["cpu-2"]
    assert set(retain(store, Retention(max_bytes=1)).dropped) == {"spans", "traces", "profiles"}


def test_a_pinned_profile_stays_and_keeps_no_rows(store: Path, spans: Callable[..., pa.Table]) -> None:
    Store(store).write({"spans": spans(0)}, Origin("w", 1))
    pin(store, "incident-7", reason="slow", profiles=["cpu-1"])
    assert pins(store)[0].profiles == ("cpu-1",)
    assert set(retain(store, Retention(max_bytes=1)).dropped) == {"spans", "traces", "profiles"}
    assert left(store) == ["cpu-1"]
    unpin(store, "incident-7")
    retain(store, ALL_OLD)
    assert left(store) == []


def test_a_pinned_time_keeps_its_profiles_and_pinned_traces_or_tables_do_not(store: Path) -> None:
    start_ns = START_NS + HOUR_NS
    pin(store, "traces", reason="", trace_ids=["0" * 32])
    pin(store, "metrics", reason="", tables=["metrics"], start_ns=start_ns, end_ns=start_ns + 1)
    pin(store, "all", reason="", start_ns=START_NS + 2 * HOUR_NS)
    retain(store, ALL_OLD)
    assert left(store) == ["cpu-2"]


def test_a_pin_of_an_earlier_release_is_read(store: Path) -> None:
    pin(store, "old", reason="", start_ns=START_NS)
    path = store / "pins" / "old.json"
    said = json.loads(path.read_text())
    del said["profiles"]
    path.write_text(json.dumps(said))
    assert pins(store)[0].profiles == ()


def test_a_profile_with_a_damaged_manifest_is_as_old_as_its_arrival(store: Path) -> None:
    path = store / profiles.DIRECTORY / "cpu-0"
    (path / profiles.MANIFEST).write_text("{")
    retain(store, ALL_OLD)
    assert left(store) == ["cpu-0"]
    os.utime(path, ns=(START_NS, START_NS))
    retain(store, ALL_OLD)
    assert left(store) == []


def test_what_is_being_written_is_no_profile_and_what_was_half_deleted_goes(store: Path) -> None:
    (store / profiles.DIRECTORY / ".cpu-9.77.partial").mkdir()
    (store / profiles.DIRECTORY / ".cpu-8.dropped").mkdir()
    assert [profile.id for profile in profiles.stored(store)] == ["cpu-0", "cpu-1", "cpu-2"]
    retain(store, ALL_OLD)
    assert left(store) == [".cpu-9.77.partial"]


def test_a_sound_profile_has_nothing_to_find_and_is_read(store: Path) -> None:
    verification = Verification(store)
    checked = list(verification.run())
    assert [finding for part in checked for finding in part.findings] == []
    assert sum(part.size for part in checked) == verification.total > 300


@pytest.mark.parametrize("name", ["profile.speedscope.json", "profile.folded", "profile.json"])
@pytest.mark.parametrize("how", ["changed", "missing"])
def test_a_verification_names_a_file_of_a_profile_that_was_changed_or_lost(store: Path, name: str, how: str) -> None:
    path = store / profiles.DIRECTORY / "cpu-1" / name
    path.write_bytes(path.read_bytes()[:-1] + b"\n~") if how == "changed" else path.unlink()
    (found,) = (finding for part in Verification(store).run() for finding in part.findings)
    assert (found.path, found.is_damage) == (path, True)
    assert ("missing" in found.problem) == (how == "missing")


def test_a_copy_has_the_profiles_of_its_time(store: Path, tmp_path: Path) -> None:
    start_ns, end_ns = START_NS + HOUR_NS, START_NS + 2 * HOUR_NS
    copy = Duplicate(Snapshot.of(store), tmp_path / "copy", start_ns=start_ns, end_ns=end_ns)
    assert (copy.profiles, sum(copy.run())) == (1, copy.total)
    assert left(tmp_path / "copy") == ["cpu-1"]
    for file in (store / profiles.DIRECTORY / "cpu-1").iterdir():
        assert (tmp_path / "copy" / profiles.DIRECTORY / "cpu-1" / file.name).read_bytes() == file.read_bytes()
