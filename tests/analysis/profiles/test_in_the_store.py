"""Profiles as a part of the store: counted, copied, verified, dropped with their hours, held by pins and incidents."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from tests.analysis.conftest import Run
from tests.analysis.profiles.conftest import Keep
from tests.analysis.recording import MS, T0, Recording, trace_id

from infersight_analysis.incidents.log import IncidentLog
from infersight_collector.store.duplicate import check_digests
from infersight_collector.store.pins import pins

MAIN = "main (app.py:3)"


def test_the_inventory_counts_them(store: Path, keep: Keep, run: Run) -> None:
    none = {"profiles": 0, "bytes": 0, "oldest": None, "newest": None}
    assert run("store", "info", "--store", store).json["profiles"] == none
    keep({(MAIN,): 1}, start_ns=10**18)
    keep({(MAIN,): 1}, start_ns=2 * 10**18)
    found = run("store", "info", "--store", store).json["profiles"]
    files = (store / "profiles").rglob("profile.*")
    assert (found["profiles"], found["bytes"]) == (2, sum(file.stat().st_size for file in files))
    assert found["oldest"] == "2001-09-09T01:46:40.000000000Z"
    table = run("store", "info", "--store", store, "--format", "table").out
    assert "profiles: 2, " in table
    assert table.count("the oldest of 2001-09-09 01:46:40") == 1


def test_a_copy_has_them_with_their_digests_and_shows_them(store: Path, keep: Keep, run: Run, tmp_path: Path) -> None:
    profile = keep({(MAIN,): 3})
    copy = tmp_path / "evidence"
    outcome = run("store", "snapshot", copy, "--store", store)
    assert (outcome.code, "0 rows and 1 profile, " in outcome.err) == (0, True)
    assert json.loads((copy / "manifest.json").read_text())["profiles"] == 1
    assert f"profiles/{profile.id}/profile.folded" in (copy / "SHA256SUMS").read_text()
    assert check_digests(copy) == []
    assert run("profile", "show", profile.id, "--format", "folded", "--store", copy).out == f"{MAIN} 3\n"
    assert run("store", "snapshot", tmp_path / "later", "--store", store, "--start", "2020-01-01T00:00:00Z").code == 0
    assert run("profile", "list", "--store", tmp_path / "later").json["profiles"] == []


def test_a_damaged_one_is_named_by_verify_and_by_a_copy(store: Path, keep: Keep, run: Run, tmp_path: Path) -> None:
    profile = keep({(MAIN,): 3})
    assert run("store", "verify", "--store", store).json["files"] == 1
    path = Path("profiles") / profile.id / "profile.original"
    (store / path).write_text("other")
    outcome = run("store", "verify", "--store", store)
    assert (outcome.code, [each["path"] for each in outcome.json["damage"]]) == (1, [str(store / path)])
    outcome = run("store", "snapshot", tmp_path / "evidence", "--store", store)
    assert (outcome.code, str(tmp_path / "evidence" / path) in outcome.err) == (1, True)


def test_they_go_with_their_hours_and_a_pinned_one_stays(store: Path, keep: Keep, run: Run) -> None:
    first, second = (keep({(MAIN,): 1}, start_ns=start_ns) for start_ns in (10**18, 10**18 + 10**16))
    pinning = ("store", "pin", "add", "one", "--reason", "r", "--store", store, "--profile")
    assert run(*pinning, first.id).err == f"pinned {first.id} as one\n"
    assert run("store", "pin", "list", "--store", store).json["pins"][0]["profiles"] == [first.id]
    assert run(*pinning, "gpu").err.startswith("no profile begins with gpu")
    retain = ("store", "retain", "--max-age", "30d", "--store", store)
    planned = run(*retain, "--dry-run").json
    assert [(each["table"], each["rows"]) for each in planned["dropped"]] == [("profiles", 1)]
    assert (planned["from_time"][:13], planned["to_time"][:13]) == ("2002-01-02T19", "2002-01-02T20")
    assert run(*retain).json["dropped"] == planned["dropped"]
    assert [each["id"] for each in run("profile", "list", "--store", store).json["profiles"]] == [first.id]
    assert second.id not in {path.name for path in (store / "profiles").iterdir()}


@pytest.fixture
def incident(store: Path, run: Run) -> str:
    opened = run("incident", "open", "It is slow", "--severity", "low", "--actor", "ada", "--store", store)
    return str(opened.json["incident"])


def test_evidence_is_a_profile_with_the_traces_that_ran_meanwhile_and_holds_it(
    store: Path, keep: Keep, run: Run, incident: str
) -> None:
    recording = Recording()
    resource = {"service.name": "sentiment", "process.pid": 7}
    recording.span(1, 1, "POST /predict", 0, 50 * MS, kind="SERVER", resource=resource)
    recording.write(store)
    profile = keep({(MAIN, "work"): 30, (MAIN,): 10}, start_ns=T0)
    add = ("incident", "evidence", "add", incident, "--actor", "ada", "--store", store)
    assert run(*add, "--profile", "last-cpu").code == 0
    (kept,) = (event.payload for event in IncidentLog(store).read(incident) if event.kind == "evidence")
    assert (kept["type"], kept["about"]) == ("profile", f"{profile.id}: python app.py")
    assert (kept["sha256"], kept["trace_ids"]) == (profile.folded_sha256, [trace_id(1)])
    content = (store / "incidents" / incident / kept["file"]).read_bytes()
    assert sha256(content).hexdigest() == profile.folded_sha256
    (made,) = pins(store)
    assert (made.profiles, made.trace_ids) == ((profile.id,), (trace_id(1),))
    run("store", "retain", "--max-age", "1ms", "--store", store)
    assert [each["id"] for each in run("profile", "list", "--store", store).json["profiles"]] == [profile.id]
    assert run("sql", "select trace_id from spans", "--store", store).json == [{"trace_id": trace_id(1)}]
