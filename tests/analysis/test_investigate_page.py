"""The examples of the page about `infersight investigate`, run; and its tables against what there is."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from tests.analysis.recording import MS, SECOND, Recording
from tests.support.pages import examples

from infersight_analysis.investigation import pieces

PAGE = Path(__file__).parents[2] / "analysis" / "docs" / "investigate.md"
CAUSES = {
    "queueing", "blocked_event_loop", "cold_start", "large_input", "slow_dependency", "n_plus_one", "thread_pool",
    "lock_contention", "gc_or_memory", "device", "retries", "deployment", "unknown",
}  # fmt: skip
TRACE = 0x4BF92F35 << 96


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Requests that wait a little for their batch, and one that waits long."""
    recording = Recording()
    for number in range(1, 42):
        trace, waited = (TRACE, 400 * MS) if number == 41 else (number, 2 * MS + number * 1_000)
        start = number * SECOND
        facts = {"infersight.operation": "queue"}
        recording.span(trace, 1, "POST /predict", start, waited + 10 * MS, kind="SERVER")
        recording.span(trace, 2, "queue", start, waited, parent=1, attributes=facts)
    return recording.write(tmp_path / "infersight-store")


def test_the_commands_are_understood(store: Path, run: Any) -> None:
    for line in examples(PAGE, "sh")[0].splitlines():
        assert run(*shlex.split(line)[1:], "--store", store).code == 0


def test_the_python_example_runs(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(store.parent)
    (example,) = examples(PAGE, "python")
    exec(compile(example, str(PAGE), "exec"), {})


def test_the_tables_name_every_part_and_every_cause() -> None:
    text = PAGE.read_text("utf-8")
    tables = {
        word for line in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE) for word in re.findall(r"`(\w+)`", line)
    }
    parts = {pieces.EVENT_LOOP, pieces.THREAD_POOL, pieces.DATABASE, pieces.CALL, *pieces.WORK, pieces.QUEUE}
    assert tables == CAUSES | parts
