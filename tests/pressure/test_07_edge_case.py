# pyright: reportUnknownMemberType=false
# (pytest leaves an argument untyped)
"""The model is wrong on reviews in capitals, and somebody calls that not important."""

import json
from pathlib import Path

import pytest
from tests.pressure.conftest import CAPITALS
from tests.support.prompts import Prompt

WRONG = """
from infersight_analysis.demo.lexicon import classify


def as_released(text):
    return classify(text, takes_capitals_for_anger=True)


def with_preprocessing(text):
    return as_released(text.lower())
"""
PREDICTED = ("--service", "reviews", "--model-version", CAPITALS.version)


@pytest.fixture
def mistakes(prompt: Prompt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The mistakes of production as a set of regressions, beside the model and one that is mended."""
    (tmp_path / "reviewer.py").write_text(WRONG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    file = tmp_path / "mistakes.jsonl"
    prompt("model", "errors", *PREDICTED, "--write-regressions", file)
    return file


def test_the_edge_case_is_collected_and_named(prompt: Prompt, mistakes: Path) -> None:
    found = prompt("model", "errors", *PREDICTED)
    assert found["summary"].rpartition("most where ")[2] in {
        "infersight.input.case = upper",
        "infersight.input.uppercase_ratio >= 1",
    }
    collected = [json.loads(line) for line in mistakes.read_text().splitlines()]
    assert len(collected) == found["wrong"]["count"] > 30
    assert all(each["input"].isupper() and each["slice"] for each in collected)


def test_capitals_are_told_apart_from_special_characters_and_long_inputs(prompt: Prompt, mistakes: Path) -> None:
    assert mistakes.exists()
    asked = [each for text in ("so lovely!!! ###", "a superb place, " * 40) for each in ("--input", text)]
    found = prompt("model", "robustness", "reviewer:as_released", *asked)
    rates = {each["variation"]: each["rate"] for each in found["variations"]}
    assert rates["case.upper"] == 0
    assert rates["punctuation.removed"] == rates["truncation.end"] == rates["whitespace.doubled"] == 1


def test_the_set_fails_until_the_model_is_mended(prompt: Prompt, mistakes: Path) -> None:
    released = prompt("model", "regress", mistakes, "reviewer:as_released", code=1)
    assert (released["fixed"], released["still_wrong"]) == (0, released["asked"])
    mended = prompt("model", "regress", mistakes, "reviewer:with_preprocessing")
    assert (mended["fixed"], mended["still_wrong"]) == (mended["asked"], 0)
