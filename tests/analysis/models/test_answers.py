"""What a model returned, read as a label and a score, wherever they are."""

import dataclasses
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import BaseModel

from infersight_analysis.errors import AnalysisError
from infersight_analysis.models.answers import Answer, AnswerForm, are_same
from infersight_analysis.models.kinds import as_json
from infersight_analysis.models.paths import found_at, placed, steps


@dataclasses.dataclass
class Said:
    label: str
    score: float


class Predicted(BaseModel):
    prediction: int
    probability: float


@pytest.mark.parametrize(
    ("output", "answer"),
    [
        ("positive", Answer("positive")),
        (True, Answer(True)),
        (3, Answer(3)),
        (0.25, Answer(0.25)),
        (np.float32(0.5), Answer(0.5)),
        (np.int64(2), Answer(2)),
        (("positive", 0.75), Answer("positive", 0.75)),
        ([0.1, 0.7, 0.2], Answer(1, 0.7)),
        (np.array([[0.25, 0.75]]), Answer(1, 0.75)),
        (torch.tensor([[0.75, 0.25]]), Answer(0, 0.75)),
        ({"no": 0.25, "yes": 0.75}, Answer("yes", 0.75)),
        ({"label": "yes", "confidence": 0.5, "model": "a"}, Answer("yes", 0.5)),
        ({"prediction": [0.75, 0.25]}, Answer(0, 0.75)),
        (Said("yes", 0.5), Answer("yes", 0.5)),
        (Predicted(prediction=1, probability=0.5), Answer(1, 0.5)),
    ],
)
def test_the_usual_forms_are_read_without_being_told(output: Any, answer: Answer) -> None:
    assert AnswerForm().read(output) == answer


def test_paths_say_where_label_and_score_are() -> None:
    output = {"results": [{"out": {"class name": "cat"}, "p": [0.5]}]}
    form = AnswerForm(steps("$.results[0].out['class name']"), steps("results[0].p[0]"))
    assert form.read(output) == Answer("cat", 0.5)


@pytest.mark.parametrize("output", [None, {"text": "x"}, [], ["a", "b"], {"label": None}, object()])
def test_what_is_no_answer_is_said_to_be_none(output: Any) -> None:
    with pytest.raises(LookupError):
        AnswerForm().read(output)


@pytest.mark.parametrize("path", ["results[1].out", "nothing", "results.out", "results[0].p.q"])
def test_a_path_that_leads_nowhere_is_a_lookup_error(path: str) -> None:
    with pytest.raises(LookupError):
        found_at({"results": [{"p": 1}]}, steps(path))


@pytest.mark.parametrize("path", ["a[", "a[x]", "[-1]", "a['b"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(AnalysisError, match="no path"):
        steps(path)


def test_an_input_is_placed_in_a_copy_of_the_request() -> None:
    template = {"kind": "plain", "instances": [{"text": "", "id": 1}]}
    assert placed(template, steps("instances[0].text"), "x") == {"kind": "plain", "instances": [{"text": "x", "id": 1}]}
    assert template["instances"] == [{"text": "", "id": 1}]
    assert placed(None, steps("a.b[1]"), "x") == {"a": {"b": [None, "x"]}}
    assert placed({"kind": "plain"}, (), {"age": 1}) == {"kind": "plain", "age": 1}
    assert placed(None, (), "x") == "x"
    with pytest.raises(AnalysisError, match="no place"):
        placed({"a": "text"}, steps("a.b"), 1)


def test_inputs_are_sent_as_json_can_say_them() -> None:
    given = {
        "when": datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        "day": date(2026, 1, 2),
        "price": Decimal("1.5"),
        "pixels": np.array([[1.0, np.nan]]),
        "more": (1, True, None, "x", float("inf"), b"y"),
    }
    assert as_json(given) == {
        "when": "2026-01-02T03:04:00+00:00",
        "day": "2026-01-02",
        "price": 1.5,
        "pixels": [[1.0, None]],
        "more": [1, True, None, "x", None, "b'y'"],
    }


def test_numbers_are_the_same_within_the_tolerance_and_labels_only_when_equal() -> None:
    assert are_same(Answer(1.0), Answer(1.05), 0.1)
    assert not are_same(Answer(1.0), Answer(1.2), 0.1)
    assert are_same(Answer(float("nan")), Answer(float("nan")), 0.1)
    assert not are_same(Answer(1.0), Answer(float("nan")), 0.1)
    assert are_same(Answer("a", 0.9), Answer("a", 0.2), None)
    assert not are_same(Answer("a"), Answer("b"), 0.1)
    with pytest.raises(AnalysisError, match="--tolerance"):
        are_same(Answer(1.0), Answer(1.0), None)
