"""The page about errors: its examples run, its table is what the tests hold."""

import shlex
from pathlib import Path
from typing import Any

import pytest
from tests.analysis.failures.cases import table
from tests.analysis.recording import MS, SECOND, Recording, Source
from tests.support.pages import examples

PAGE = Path(__file__).parents[3] / "analysis" / "docs" / "errors.md"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recording = Recording()
    for number in range(1, 41):
        source: Source = ("sentiment", "sentiment-1", "1.9.0" if number > 20 else "1.8.0")
        facts = {"exception.type": "torch.OutOfMemoryError", "exception.message": "CUDA out of memory"}
        events = [(number * SECOND, "exception", facts)] if number % 4 == 0 else []
        error = "" if events else None
        recording.span(
            number, 1, "POST /", number * SECOND, MS, kind="SERVER", source=source, error=error, events=events
        )
    return recording.write(tmp_path_factory.mktemp("page") / "infersight-store")


def test_every_command_works(store: Path, run: Any) -> None:
    for command in examples(PAGE, "sh")[0].splitlines():
        words = [word for word in shlex.split(command)[1:] if word not in {"--last", "1h", "1d"}]
        assert run(*words, "--store", store).code == 0, command


def test_the_python_example_works(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(store.parent)
    (code,) = examples(PAGE, "python")
    exec(code, {})
    assert capsys.readouterr().out == "10 torch.OutOfMemoryError None ongoing resource_exhaustion\n"


def test_the_cases_are_those_of_the_tests() -> None:
    assert table() in PAGE.read_text()


def test_every_key_of_the_json_is_on_the_page(store: Path, run: Any) -> None:
    text = PAGE.read_text()
    (fault,) = run("errors", "--store", store).json["errors"]
    assert [key for key in fault if f"`{key}`" not in text] == []
