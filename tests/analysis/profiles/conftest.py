"""Processes to look at, and stores that have profiles."""

import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

from infersight_analysis.profiles import records
from infersight_analysis.profiles.processes import Process
from infersight_analysis.profiles.recorded import Recorded
from infersight_analysis.profiles.records import Profile
from infersight_analysis.profiles.stacks import Stacks
from infersight_collector.store.writer import Store

BUSY = Path(__file__).with_name("busy.py")
Start = Callable[..., "subprocess.Popen[str]"]
Keep = Callable[..., Profile]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """An empty store."""
    Store.open(tmp_path / "store")
    return tmp_path / "store"


@pytest.fixture
def busy() -> Generator[Start]:
    """Start a process that is busy for some seconds, and end it after the test."""
    with ExitStack() as processes:

        def start(seconds: float, *arguments: str) -> "subprocess.Popen[str]":
            command = [sys.executable, str(BUSY), str(seconds), *arguments]
            process = processes.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
            processes.callback(process.kill)
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            return process

        yield start


@pytest.fixture
def keep(store: Path, tmp_path: Path) -> Keep:
    """Put a profile of given stacks into the store."""

    def kept(
        stacks: Stacks, *, kind: str = "cpu", unit: str = "samples", start_ns: int = 10**18, pid: int = 7
    ) -> Profile:
        original = tmp_path / "original"
        original.write_text(f"of {kind}")
        rate = 100.0 if unit == "samples" else None
        recorded = Recorded(kind, start_ns, start_ns + 10**9, unit, stacks, original, ".original", rate)
        return records.keep(store, Process(pid, pid, None, "python app.py"), recorded, (None, None))

    return kept
