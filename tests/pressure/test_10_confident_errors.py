# pyright: reportUnknownMemberType=false
# (pytest leaves an argument untyped)
"""The model is wrong and sure of it, and somebody says that its accuracy is good on the whole."""

import json
from pathlib import Path

import pytest
from tests.pressure.conftest import CAPITALS
from tests.support.prompts import Prompt

MODEL = """
from infersight_analysis.demo.lexicon import classify


def released(text):
    return classify(text, takes_capitals_for_anger=True)
"""
PREDICTED = ("--service", "reviews", "--model-version", CAPITALS.version)


def test_confident_mistakes_are_told_apart_and_what_their_inputs_have_in_common(prompt: Prompt) -> None:
    found = prompt("model", "errors", *PREDICTED, "--sure", "0.95")
    assert found["wrong"]["share"] < 0.25  # "accuracy is good"
    sure, *others = found["bands"]
    assert sure["wrong"]["count"] == found["wrong"]["count"] > 0
    assert sum(band["wrong"]["count"] for band in others) == 0
    (confident,) = [each for each in found["slices"] if each["what"] == "confidently wrong"]
    assert "infersight.input" in confident["slices"][0]["statement"]
    assert found["calibration"]["overconfidence_interval"][0] > 0


def test_inputs_that_mean_the_same_are_asked_and_the_mistakes_kept(
    prompt: Prompt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "released_model.py").write_text(MODEL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    texts = [each for text in ("the staff was lovely", "a superb place") for each in ("--input", text)]
    kept = ("--write-regressions", "varied.jsonl", "--fail-under", "0.9")
    found = prompt("model", "robustness", "released_model:released", *texts, *kept, code=1)
    assert found["variations"][0]["variation"] == "case.upper"
    assert found["variations"][0]["rate"] == 0
    varied = [json.loads(line) for line in Path("varied.jsonl").read_text().splitlines()]
    assert any(each["confidence"] > 0.95 and each["input"].isupper() for each in varied)
    prompt("model", "errors", *PREDICTED, "--write-regressions", "mistakes.jsonl")
    mistakes = [json.loads(line) for line in Path("mistakes.jsonl").read_text().splitlines()]
    assert mistakes
    assert all(each["confidence"] > 0.95 for each in mistakes)
