"""The examples of the page about models, run."""
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# (pandas publishes no types of all)

import re
import shlex
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.analysis.quality.populations import table
from tests.analysis.quality.recorded import sentiment
from tests.support.pages import examples

from infersight_analysis.findings.model_drift import FeatureDrift, ModelDrift
from infersight_analysis.findings.model_errors import ModelErrors

PAGE = Path(__file__).parents[3] / "analysis" / "docs" / "model.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store and the files that the page names."""
    found = tmp_path_factory.mktemp("model")
    sentiment(found / "infersight-store")
    pd.DataFrame(table(500, 1)).to_csv(found / "predictions.csv", index=False)
    for seed, name in enumerate(("today", "training")):
        pd.DataFrame(table(500, seed)).to_parquet(found / f"{name}.parquet")
    return found


def test_the_commands_are_understood(folder: Path, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    commands = examples(PAGE, "sh")[0].splitlines()
    assert len(commands) == 6
    for command in commands:
        outcome = run(*shlex.split(command)[1:])
        assert outcome.code in {0, 3}, (command, outcome.err)
    assert "<!doctype html>" in (folder / "errors.html").read_text("utf-8")


def test_the_output_is_as_shown(folder: Path, run: Any) -> None:
    out = run("model", "errors", "--store", folder / "infersight-store", "--format", "table").out
    (shown,) = re.findall(r"```\n(the predictions.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    lines = [" ".join(line.split()) for line in out.splitlines()]
    for line in filter(None, shown.splitlines()):
        assert " ".join(line.split()) in lines


def test_the_python_example_prints_findings(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    exec(compile(examples(PAGE, "python")[0], str(PAGE), "exec"), {})
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("where infersight.input.case = upper, 87 % of 60 are wrong")
    assert said[1] == "the predictions: 0 of 60 are wrong, 0.0 % (0.0 to 6.0)"
    assert said[2] == "the predictions (60) against the predictions (60): no drift"


def test_the_keys_are_those_of_the_findings() -> None:
    text = PAGE.read_text("utf-8").partition("## Python")[2]
    for finding in (ModelErrors, ModelDrift):
        (listed,) = re.findall(rf"gives `{finding.__name__}`: ([^.]*)\.", text)
        assert set(re.findall(r"`(\w+)`", listed)) == set(finding.__dataclass_fields__) - (
            {"about"} if finding is ModelErrors else set()
        )
    for figure in re.findall(r"`(psi\w*|jensen_shannon|distance)`", PAGE.read_text("utf-8")):
        assert figure in FeatureDrift.__dataclass_fields__
