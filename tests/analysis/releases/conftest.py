"""Stores with releases, fake programs, and the command that rolls back."""

import shutil
from pathlib import Path

import pytest
from tests.analysis.conftest import Outcome, Run
from tests.analysis.releases.rolling_back import VERSIONS, WINDOW, Execute, later
from tests.analysis.releases.stores import Release, recorded
from tests.support.programs import Programs

from infersight_analysis.releases.execution import processes


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stores in which the candidate fails, and in which it is as good; in some the old version came back, later."""
    directory = tmp_path_factory.mktemp("stores")
    good = Release("1.8.0", 1)
    bad = Release("1.9.0", 100_000, count=400, errors=0.3)
    recorded(good, bad).write(directory / "bad")
    recorded(good, Release("1.9.0", 100_000)).write(directory / "fine")
    for name, errors in (("recovered", 0.0), ("still bad", 0.3)):
        shutil.copytree(directory / "bad", directory / name)
        later(Release("1.8.0", 200_000, errors=errors)).write(directory / name, "later")
    shutil.copytree(directory / "recovered", directory / "lingering")
    later(Release("1.9.0", 300_000, count=300)).write(directory / "lingering", "lingering")
    return directory


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    monkeypatch.setattr(processes, "_GRACE_S", 0.5)
    return Programs.at(tmp_path / "bin", monkeypatch)


@pytest.fixture
def execute(stores: Path, tmp_path: Path, run: Run) -> Execute:
    """Roll back with a copy of one of the stores."""

    def executed(name: str, *arguments: str) -> Outcome:
        store = tmp_path / "store"
        if not store.exists():
            shutil.copytree(stores / name, store)
        more = () if "--verify-within" in arguments else ("--verify-within", "0s")
        given = () if "--service" in arguments else VERSIONS
        return run("rollback", "execute", *given, *WINDOW, *more, "--store", store, "--actor", "ada", *arguments)

    return executed
