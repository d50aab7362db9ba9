"""The examples of the page about `infersight anomalies`, run; and its tables against what there is."""

import dataclasses
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from tests.analysis.anomalies import signals
from tests.support.pages import examples

from infersight_analysis.anomalies.detector import KINDS
from infersight_analysis.anomalies.watching import CHANGE
from infersight_analysis.findings import Anomalies, Anomaly

PAGE = Path(__file__).parents[3] / "analysis" / "docs" / "anomalies.md"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return signals.record(tmp_path_factory.mktemp("page") / "infersight-store")


def test_the_commands_are_understood(store: Path, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    commands = examples(PAGE, "sh")[0].splitlines()
    assert len(commands) == 5
    for command in commands:
        outcome = run(*shlex.split(command)[1:], "--store", store)
        assert outcome.code in {0, 3}, outcome.err
    assert (tmp_path / "anomalies.html").exists()


def test_the_python_examples_print_anomalies(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(store.parent)
    over_a_store, as_they_come = examples(PAGE, "python")
    exec(compile(over_a_store, str(PAGE), "exec"), {})
    assert "change error_share 0.0 0.5" in capsys.readouterr().out
    exec(compile(as_they_come, str(PAGE), "exec"), {})
    assert "350 spike" in capsys.readouterr().out


def test_the_output_is_as_shown(store: Path, run: Any) -> None:
    out = run("anomalies", "--store", store, "--format", "table").out
    (shown,) = re.findall(r"```\n(\d+ anomalies.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    lines = [" ".join(line.split()) for line in out.splitlines()]
    for line in filter(None, shown.splitlines()):
        assert " ".join(line.split()) in lines


def test_every_kind_and_every_key_is_explained() -> None:
    text = PAGE.read_text("utf-8")
    explained = set(re.findall(r"`([\w ]+)`", text))
    assert explained >= {*KINDS, CHANGE}
    for finding in (Anomaly, Anomalies):
        assert explained >= {field.name for field in dataclasses.fields(finding)}
