"""The examples of the pages about critical paths and reports, run."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from tests.analysis.recording import MS, SECOND, Recording
from tests.support.pages import examples

DOCS = Path(__file__).parents[3] / "analysis" / "docs"
PAGES = ("critical-path.md", "report.md")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The requests of the pages: a load, two queries and a feature store side by side, and a forward call."""
    recording = Recording()
    source = ("sentiment", "sentiment-1", "1.0")
    for number in range(1, 301):
        start, load = number * SECOND, (23 + number % 15) * MS
        route = {"http.route": "/predict"}
        recording.span(
            number, 1, "POST /predict", start, load + 45 * MS, kind="SERVER", source=source, attributes=route
        )
        recording.span(number, 2, "load user", start + 2 * MS, load, parent=1, source=source)
        after = start + 2 * MS + load
        recording.span(number, 3, "query", after, 16 * MS, parent=1, kind="CLIENT", source=source)
        recording.span(number, 4, "query", after, 15 * MS, parent=1, kind="CLIENT", source=source)
        recording.span(number, 5, "features", after, 12 * MS, parent=1, kind="CLIENT", source=source)
        recording.span(number, 6, "forward", after + 17 * MS, 24 * MS, parent=1, source=source)
    for number in range(301, 401):
        recording.span(number, 1, "GET /health", number * SECOND, MS, kind="SERVER", source=source)
    return recording.write(tmp_path_factory.mktemp("pages") / "infersight-store")


@pytest.mark.parametrize("page", PAGES)
def test_every_command_works(page: str, store: Path, tmp_path: Path, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for command in examples(DOCS / page, "sh")[0].splitlines():
        words = [word for word in shlex.split(command)[1:] if word not in {"--last", "1h"}]
        outcome = run(*words, "--store", store)
        assert outcome.code == 0, outcome.err
        if "--output" in words:
            assert Path(words[words.index("--output") + 1]).stat().st_size > 1_000


def test_the_output_is_as_shown(store: Path, run: Any) -> None:
    arguments = ("critical-path", "--route", "/predict", "--store", store, "--what-if", "query=-50%")
    said = run(*arguments, "--format", "table").out + run(*arguments, "--format", "folded").out
    lines = {" ".join(line.split()) for line in said.splitlines()}
    shown = re.findall(r"\n\n```\n(.*?)^```$", (DOCS / "critical-path.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert len(shown) == 3
    for line in "".join(shown).splitlines():
        assert " ".join(line.split()) in lines


def test_the_python_example_prints_the_paths_and_the_change(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(store.parent)
    exec(compile(examples(DOCS / "critical-path.md", "python")[0], "critical-path.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert "  16.0 ms  POST /predict > query" in lines
    assert lines[-1] == "-4.0 ms"
