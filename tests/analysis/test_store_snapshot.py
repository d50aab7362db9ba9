"""`infersight store snapshot`: copies for evidence."""

import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from tests.analysis.recording import MS, Recording

from infersight_collector.store.duplicate import check_digests

HOUR = 3_600_000 * MS
FIXTURES = Path(__file__).parents[1] / "collector" / "store" / "fixtures"
QUERY = (
    "select (select count(*) from spans) as spans, (select count(*) from logs) as logs, "
    "(select list(root_name order by root_name) from traces) as traces"
)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    recording = Recording()
    recording.span(1, 1, "first", 0, 5 * MS, attributes={"a": 1})
    recording.span(2, 1, "second", HOUR, 7 * MS)
    recording.log(0, "hello", trace=1)
    return recording.write(tmp_path / "store")


def test_a_copy_is_a_store_like_any_other_and_stays_when_the_store_goes(store: Path, run: Any, tmp_path: Path) -> None:
    copy = tmp_path / "evidence"
    before = run("sql", QUERY, "--store", store).json
    outcome = run("store", "snapshot", copy, "--store", store)
    assert (outcome.code, outcome.out) == (0, "")
    shutil.rmtree(store)
    assert run("sql", QUERY, "--store", copy).json == before
    assert run("store", "verify", "--store", copy).code == 0
    manifest = json.loads((copy / "manifest.json").read_text())
    assert manifest["rows"] == {"spans": 2, "traces": 2, "logs": 1, "metrics": 0, "exemplars": 0}
    assert manifest["source"] == str(store)


@pytest.mark.parametrize("way", ["relative", "linked"])
def test_a_store_is_copied_whole_wherever_it_is_seen_from(
    store: Path, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    before = run("sql", QUERY, "--store", store).json
    (tmp_path / "linked").symlink_to(store)
    monkeypatch.chdir(tmp_path)
    assert run("store", "snapshot", "evidence", "--store", "store" if way == "relative" else "linked").code == 0
    assert run("sql", QUERY, "--store", tmp_path / "evidence").json == before


def test_files_are_shared_where_that_is_possible(store: Path, run: Any, tmp_path: Path) -> None:
    run("store", "snapshot", tmp_path / "evidence", "--store", store)
    for file in store.glob("*/date=*/hour=*/*.parquet"):
        assert (tmp_path / "evidence" / file.relative_to(store)).samefile(file)


def test_files_are_copied_to_another_file_system(store: Path, run: Any) -> None:
    elsewhere = Path("/dev/shm")
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == store.stat().st_dev:
        pytest.skip("there is one file system only")
    copy = elsewhere / f"infersight-{store.parent.name}"
    try:
        assert run("store", "snapshot", copy, "--store", store).code == 0
        assert run("sql", QUERY, "--store", copy).json == run("sql", QUERY, "--store", store).json
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def test_a_later_change_of_any_file_is_found(store: Path, run: Any, tmp_path: Path) -> None:
    copy = tmp_path / "evidence"
    run("store", "snapshot", copy, "--store", store)
    listed = {line.partition("  ")[2] for line in (copy / "SHA256SUMS").read_text().splitlines()}
    files = {str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file()}
    assert listed == files - {"SHA256SUMS"}
    assert check_digests(copy) == []
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=copy, check=True)
    file = next(copy.glob("spans/date=*/hour=*/*.parquet"))
    content = bytearray(file.read_bytes())
    content[20] ^= 1
    file.unlink()
    file.write_bytes(content)
    (copy / "manifest.json").unlink()
    assert sorted(check_digests(copy)) == ["manifest.json: missing", f"{file.relative_to(copy)}: changed"]


def test_a_time_leaves_out_the_files_of_other_times(store: Path, run: Any, tmp_path: Path) -> None:
    copy = tmp_path / "evidence"
    assert run("store", "snapshot", copy, "--store", store, "--start", "2025-10-09T09:00:00Z").code == 0
    assert run("sql", QUERY, "--store", copy).json == [{"spans": 1, "logs": 0, "traces": ["second"]}]
    assert json.loads((copy / "manifest.json").read_text())["start"] == "2025-10-09T09:00:00.000000000Z"


def test_a_store_of_the_first_version_is_copied_with_all_its_traces(run: Any, tmp_path: Path) -> None:
    with tarfile.open(FIXTURES / "version-1.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    (store,) = (file.parent for file in tmp_path.rglob("VERSION"))
    before = run("sql", QUERY, "--store", store).json
    assert run("store", "snapshot", tmp_path / "evidence", "--store", store).code == 0
    assert run("sql", QUERY, "--store", tmp_path / "evidence").json == before
    assert before[0]["spans"] > 0


def test_a_file_that_was_damaged_before_is_named(store: Path, run: Any, tmp_path: Path) -> None:
    file = next(store.glob("logs/date=*/hour=*/*.parquet"))
    file.write_bytes(file.read_bytes()[:-5])
    outcome = run("store", "snapshot", tmp_path / "evidence", "--store", store)
    assert outcome.code == 1
    assert str(tmp_path / "evidence" / file.relative_to(store)) in outcome.err


@pytest.mark.parametrize("problem", ["missing", "not empty", "not writable"])
def test_what_cannot_be_copied_is_one_line_and_leaves_nothing(
    store: Path, run: Any, tmp_path: Path, problem: str
) -> None:
    copy = tmp_path / "evidence"
    if problem == "missing":
        next(store.glob("logs/date=*/hour=*/*.parquet")).unlink()
    elif problem == "not empty":
        copy.mkdir()
        (copy / "mine").touch()
    else:
        copy.touch()
        copy = copy / "below"
    before = sorted(tmp_path.rglob("*"))
    outcome = run("store", "snapshot", copy, "--store", store)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert ".partial" not in outcome.err
    assert sorted(tmp_path.rglob("*")) == before
