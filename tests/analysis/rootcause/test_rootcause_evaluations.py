"""The evaluation programs on one case each of real incidents, wherever those are."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.captures import DATA

EVALUATION = Path(__file__).parents[2] / "evaluation"


def run(program: str, data: Path, out: Path) -> dict[str, list[str]]:
    """What a program writes; it finds the tests by itself, wherever it is started."""
    subprocess.run([sys.executable, EVALUATION / program, data, out], cwd=data, check=True, timeout=300)
    ranks: dict[str, list[str]] = json.loads(out.read_text())
    return ranks


def first_case(source: Path, target: Path) -> dict[str, Any]:
    """Copy a list of cases, of which only the first is left; the first."""
    cases: dict[str, Any] = json.loads(source.read_text())
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({**cases, "cases": cases["cases"][:1]}))
    case: dict[str, Any] = cases["cases"][0]
    return case


def labelled(labels: Path, case: dict[str, Any]) -> dict[str, Any]:
    """The answer to a case."""
    answers: list[dict[str, Any]] = json.loads(labels.read_text())["cases"]
    return next(each for each in answers if each["case_id"] == case["case_id"])


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "trainticket").exists(), reason=f"no captures under {DATA}; set INFERSIGHT_TEST_DATA")
def test_a_fault_in_train_ticket_is_found_without_its_label(tmp_path: Path) -> None:
    day = min((DATA / "trainticket").glob("*/cases.json")).parent
    case = first_case(day / "cases.json", tmp_path / "data" / day.name / "cases.json")
    for folder in ("baseline", case["case_id"]):
        (tmp_path / "data" / day.name / folder).symlink_to(day / folder)
    answer = labelled(day / "labels.json", case)
    ranks = run("trainticket.py", tmp_path / "data", tmp_path / "ranks.json")
    assert list(ranks) == [case["case_id"]]
    assert ranks[case["case_id"]][0] == answer["root_cause_service"]


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "petshop").exists(), reason=f"no captures under {DATA}; set INFERSIGHT_TEST_DATA")
def test_an_issue_of_petshop_is_found_without_its_label(tmp_path: Path) -> None:
    source = DATA / "petshop"
    case = first_case(source / "cases.json", tmp_path / "data" / "cases.json")
    (tmp_path / "data" / case["scenario"]).symlink_to(source / case["scenario"])
    answer = labelled(source / "labels.json", case)
    ranks = run("petshop.py", tmp_path / "data", tmp_path / "ranks.json")
    assert ranks[case["case_id"]][0] == answer["root_cause"]["node"]
