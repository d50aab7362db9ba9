"""The examples of the page about `infersight compare`, run."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from tests.analysis.recording import MS, SECOND, Recording
from tests.support.pages import examples

from infersight_analysis.findings import Comparison

PAGE = Path(__file__).parents[3] / "analysis" / "docs" / "compare.md"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Requests of which the slow ones are what the page says."""
    recording = Recording()
    for number in range(1, 401):
        is_slow = number > 340
        start, took = number * SECOND, (200 if is_slow else 40) * MS + number
        attributes = {"app.tenant": "acme" if is_slow else "other"}
        recording.span(number, 1, "GET /items", start, took, kind="SERVER", attributes=attributes)
        recording.span(number, 2, "rank", start, took // 2, parent=1)
        for call in range(8 if is_slow and number % 6 else 2):
            recording.span(
                number, 10 + call, "SELECT items", start + took // 2 + call * MS, MS, parent=1, kind="CLIENT"
            )
        if is_slow:
            recording.log(start, "queue is full", trace=number, span=1, severity=13)
    return recording.write(tmp_path / "infersight-store")


def test_the_commands_are_understood(store: Path, run: Any) -> None:
    commands = examples(PAGE, "sh")[0].splitlines()
    assert len(commands) == 6
    for command in commands:
        outcome = run(*shlex.split(command)[1:], "--store", store)
        assert outcome.code in {0, 3}, outcome.err


def test_the_python_example_prints_findings(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(store.parent)
    exec(compile(examples(PAGE, "python")[0], str(PAGE), "exec"), {})
    assert "all of the slow requests have app.tenant = acme" in capsys.readouterr().out


def test_the_output_is_as_shown(store: Path, run: Any) -> None:
    out = run("compare", "--slow", "--over", "150ms", "--store", store, "--format", "table").out
    (shown,) = re.findall(r"```\n(the slow.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    lines = [" ".join(line.split()) for line in out.splitlines()]
    for line in filter(None, shown.splitlines()):
        assert " ".join(line.split()) in lines


def test_the_keys_are_those_of_the_finding() -> None:
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", PAGE.read_text("utf-8").partition("## JSON")[2], re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == set(Comparison.__dataclass_fields__) - {"summary"}
