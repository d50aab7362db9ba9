# pyright: reportUnknownMemberType=false
# (pytest leaves an argument untyped)
"""Old mistakes, asked again: mended, the same, others, without an answer, and those that cannot be asked."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infersight_analysis.errors import AnalysisError
from infersight_analysis.models.model import Model
from infersight_analysis.robustness.regressions import rerun
from infersight_analysis.stats.proportions import wilson


def mistake(text: Any, right: Any, wrong: Any, **more: Any) -> dict[str, Any]:
    known = {"confidence": 0.9, "prediction_id": f"id of {text}", "trace_id": None, "slice": None}
    return {"input": text, "label_true": right, "label": wrong, **known, **more}


def asked(model: Callable[[Any], Any], *lines: Any, **more: Any) -> Any:
    return rerun(Model(model, "m"), lines, "set.jsonl", **more)


def test_each_mistake_is_fixed_still_wrong_newly_wrong_or_unanswered() -> None:
    def model(text: str) -> str:
        if text == "fails":
            raise ValueError("too long")
        return {"mended": "a", "kept": "b", "moved": "c"}[text]

    lines = [mistake(text, "a", "b") for text in ("mended", "kept", "moved", "fails")]
    found = asked(model, *lines)
    assert (found.lines, found.asked, found.fixed, found.still_wrong, found.newly_wrong, found.failed) == (
        4,
        4,
        1,
        1,
        1,
        1,
    )
    assert found.statement == "1 of 4 fixed, 1 still wrong, 1 wrong in another way, 1 without an answer"
    said = [(case.line, case.outcome, case.before, case.now, case.failure) for case in found.failing]
    assert said == [
        (2, "still_wrong", "b", "b", None),
        (3, "newly_wrong", "b", "c", None),
        (4, "failed", "b", None, "ValueError: too long"),
    ]
    assert found.evidence.sql == [
        "from predictions where prediction_id in ('id of kept', 'id of moved', 'id of fails') order by time"
    ]


def test_what_cannot_be_asked_is_said_and_counts_nowhere() -> None:
    lines = [
        mistake(None, "a", "b"),
        mistake("x", None, "b"),
        {"label": "b", "label_true": "a"},
        mistake("y", "a", "b"),
    ]
    found = asked(lambda _: "a", *lines)
    assert (found.lines, found.asked, found.fixed, found.without_input, found.without_label) == (4, 1, 1, 2, 1)


def test_slices_are_listed_with_the_least_mended_first() -> None:
    lines = [mistake("X", "a", "b", slice="capitals") for _ in range(3)] + [mistake("x", "a", "b", slice="others")]
    found = asked(lambda text: "b" if text.isupper() else "a", *lines)
    assert [(each.slice, each.cases, each.fixed) for each in found.slices] == [("capitals", 3, 0), ("others", 1, 1)]
    assert (found.slices[0].low, found.slices[0].high) == wilson(0, 3)


@pytest.mark.parametrize(
    ("right", "answer", "is_fixed"),
    [
        ("1", 1, True),
        (1, 1, True),
        ("True", True, True),
        ("1.5", 1.52, True),
        ("1.5", 1.7, False),
        ("high", 1.5, False),
    ],
)
def test_labels_are_kept_as_text_and_compared_as_what_they_are(right: Any, answer: Any, is_fixed: bool) -> None:
    assert asked(lambda _: answer, mistake("x", right, "other"), tolerance=0.1).fixed == is_fixed


def test_a_line_that_is_no_mistake_is_refused() -> None:
    with pytest.raises(AnalysisError, match="line 2 is no object"):
        asked(str, mistake("x", "a", "b"), "text")


def write(file: Path, *lines: Any) -> Path:
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return file


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"mended_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text("def classify(text):\n    return 'a' if text == 'x' else 'b'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return f"{name}:classify"


def test_the_exit_code_says_whether_all_are_mended(model: str, run: Any, tmp_path: Path) -> None:
    mended, kept, unknown = mistake("x", "a", "b"), mistake("y", "a", "b"), mistake(None, "a", "b")
    assert run("model", "regress", write(tmp_path / "1.jsonl", mended), model).code == 0
    assert run("model", "regress", write(tmp_path / "2.jsonl", mended, kept), model).code == 1
    outcome = run("model", "regress", write(tmp_path / "3.jsonl", unknown), model)
    assert (outcome.code, outcome.json["without_input"]) == (3, 1)
    assert "need more data" in outcome.err
    assert run("model", "regress", tmp_path / "4.jsonl", model).code == 2


def test_the_table_names_what_is_not_mended(model: str, run: Any, tmp_path: Path) -> None:
    lines = [mistake(f"y{number}", "a", "b", slice="ys") for number in range(12)] + [mistake(None, "a", "b")]
    text = run("model", "regress", write(tmp_path / "set.jsonl", *lines), model, "--format", "table").out
    assert "0 of 12 fixed, 12 still wrong" in text
    assert "1 of 13 lines have no input (it was not kept) and were not asked" in text
    assert 'line 1: "y0"' in text
    assert "still b; right is a" in text
    assert "and 2 more" in text


def test_a_set_of_a_robustness_test_comes_back_as_mistakes_until_they_are_mended(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "def classify(text):\n    return 'shouting' if text.isupper() else 'calm'\n"
    (tmp_path / "capital_model.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    file = tmp_path / "set.jsonl"
    asked = ["model", "robustness", "capital_model:classify", "--input", "a text", "--variation", "case"]
    run(*asked, "--write-regressions", file)
    outcome = run("model", "regress", file, "capital_model:classify")
    assert (outcome.code, outcome.json["still_wrong"], outcome.json["slices"][0]["slice"]) == (1, 1, "case.upper")
