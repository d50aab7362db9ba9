"""The examples of the page about bursts, run."""

import shlex
from pathlib import Path
from typing import Any

import pytest
from tests.analysis.recording import SECOND, Recording
from tests.support.pages import examples

PAGE = Path(__file__).parents[3] / "analysis" / "docs" / "bursts.md"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recording = Recording()
    for second in range(0, 3600, 100):
        recording.log(second * SECOND, "no", severity=17, source=("cart", "cart-1", "1"))
    for second in range(1800, 1860):
        recording.log(second * SECOND, "no", severity=17, source=("cart", "cart-1", "1"))
    return recording.write(tmp_path_factory.mktemp("page") / "infersight-store")


def test_every_command_works(store: Path, run: Any) -> None:
    for command in examples(PAGE, "sh")[0].splitlines():
        words = [word for word in shlex.split(command)[1:] if word not in {"--last", "6h", "1d"}]
        assert len(run(*words, "--store", store).json["clusters"]) == 1, command


def test_the_python_example_works(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(store.parent)
    (code,) = examples(PAGE, "python")
    exec(code, {})
    assert capsys.readouterr().out == "2025-10-09T09:23:20.000000000Z cart failed\n"
