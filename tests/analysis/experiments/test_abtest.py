"""`infersight abtest`: the command line, its exit codes, and the page."""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportMissingTypeStubs=false
# (pandas publishes no types)

import json
import shlex
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.analysis.experiments.populations import experiment
from tests.analysis.experiments.served import serve
from tests.analysis.recording import Recording
from tests.support.pages import examples

PAGE = Path(__file__).parents[3] / "analysis" / "docs" / "abtest.md"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recording = Recording()
    serve(recording)
    return recording.write(tmp_path_factory.mktemp("abtest") / "infersight-store")


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    pd.DataFrame(experiment(lift=0.1)).to_csv(tmp_path / "test.csv", index=False)
    return tmp_path / "test.csv"


def test_a_better_arm_is_shipped_with_exit_code_0(store: Path, run: Any) -> None:
    outcome = run("abtest", "results", "ranker", "--metric", "duration,mean", "--store", store)
    assert outcome.code == 0
    assert (outcome.json["verdict"], outcome.json["arm"]) == ("ship", "b")
    assert outcome.json["evidence"]["sql"]


def test_more_data_is_exit_code_3(store: Path, run: Any) -> None:
    outcome = run("abtest", "results", "colour", "--metric", "duration,mean,matters=1%", "--store", store)
    assert (outcome.code, outcome.json["verdict"]) == (3, "need more data")


def test_a_broken_guardrail_is_exit_code_1(store: Path, run: Any) -> None:
    metrics = ("--metric", "accuracy", "--guardrail", "duration,p50,higher")
    outcome = run("abtest", "results", "ranker", *metrics, "--store", store)
    assert outcome.code == 1
    assert (outcome.json["verdict"], outcome.json["is_guardrail_broken"]) == ("keep", True)


def test_a_mismatched_ratio_is_refused_with_exit_code_1(store: Path, run: Any) -> None:
    for verb in ("check", "results"):
        outcome = run("abtest", verb, "ranker", "--split", "control=80,b=20", "--store", store)
        assert outcome.code == 1
        assert "sample-ratio mismatch" in outcome.json["summary"]


def test_wrong_use_is_one_line_and_exit_code_2(store: Path, csv: Path, run: Any) -> None:
    for arguments in (
        ("results", "ranker", "--metric", "duration,fast", "--store", store),
        ("results", "nothing", "--store", store),
        ("results", "variant", "--data", csv),
        ("check", "variant", "--data", csv.with_name("gone.csv")),
        ("check", "variant", "--data", csv, "--covariate", "spent"),
        ("design", "--effect", "5%", "--mean", "3"),
        ("design", "--effect", "much", "--rate", "0.1"),
        ("design", "--effect", "5%", "--rate", "0.1", "--split", "A=1"),
    ):
        outcome = run("abtest", *arguments)
        assert (outcome.code, outcome.out) == (2, ""), arguments
        assert len(outcome.err.splitlines()) == 1, outcome.err


def test_the_table_says_what_the_json_says(csv: Path, run: Any) -> None:
    arguments = (
        "abtest",
        "results",
        "variant",
        "--data",
        csv,
        "--unit",
        "user",
        "--time",
        "at",
        "--metric",
        "converted",
    )
    found, text = run(*arguments).json, run(*arguments, "--format", "table").out
    assert text.splitlines()[0].startswith("ship B: converted ")
    assert "right at every look" in text
    for check in found["checks"]:
        assert check["name"] in text


def test_a_design_is_told_or_measured(store: Path, csv: Path, run: Any) -> None:
    told = run("abtest", "design", "--rate", "0.1", "--effect", "10%", "--units-a-day", "5000").json
    assert told["units"] == pytest.approx([14_744] * 2, abs=8)
    text = run("abtest", "design", "--rate", "0.1", "--effect", "10%", "--units-a-day", "5000", "--format", "table").out
    assert text.startswith("share is 10 %; to find a difference of 1 pp (10 % of it) in 80% of cases takes 14,7")
    measured = run("abtest", "design", "--metric", "duration,p95", "--effect", "5%", "--store", store).json
    assert (measured["unit"], measured["days"] > 0) == ("ns", True)
    of_file = run("abtest", "design", "--metric", "spent", "--effect", "1", "--data", csv, "--unit", "user").json
    assert of_file["deviation"] > 5


def test_the_examples_of_the_page_work(
    store: Path, csv: Path, run: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(csv.parent)
    monkeypatch.setenv("INFERSIGHT_STORE", str(store))
    commands = [line for block in examples(PAGE, "sh") for line in block.splitlines()]
    assert len(commands) == 4
    for command in commands:
        outcome = run(*shlex.split(command)[1:])
        assert outcome.code == 0, (command, outcome.err)
        json.loads(outcome.out)
    (code,) = examples(PAGE, "python")
    exec(code, {})
    assert capsys.readouterr().out == "ship B\n"


def test_the_page_shows_what_the_command_prints(store: Path, run: Any) -> None:
    (command,) = [line for block in examples(PAGE, "sh") for line in block.splitlines() if "results ranker" in line]
    printed = run(*shlex.split(command)[1:], "--store", store, "--format", "table").out
    shown = PAGE.read_text("utf-8").split("```\n")[2].replace("...\n", "")
    for line in shown.splitlines():
        assert " ".join(line.split()) in " ".join(printed.split()), line
