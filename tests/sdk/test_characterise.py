"""Characterisation: facts about an input, in bounded time, without the input."""

import dataclasses
import math
import time
from typing import Any

import numpy as np
import pytest
import torch

from infersight._characterise import characterise, dominant_script


def facts(value: object) -> dict[str, Any]:
    """The attributes without their common beginning."""
    return {key.removeprefix("infersight.input."): found for key, found in characterise(value).items()}


def test_a_text_is_told_by_its_shares_case_and_script() -> None:
    found = facts("Hello, World 42")
    digest = found.pop("hash")
    assert len(digest) == 16
    assert found == {
        "type": "str",
        "length": 15,
        "digit_ratio": pytest.approx(2 / 15),
        "special_ratio": pytest.approx(1 / 15),
        "whitespace_ratio": pytest.approx(2 / 15),
        "uppercase_ratio": pytest.approx(2 / 10),
        "case": "mixed",
        "script": "Latin",
    }


@pytest.mark.parametrize(("text", "case"), [("ABC 1", "upper"), ("abc 1", "lower"), ("Abc", "mixed"), ("12", "none")])
def test_the_case_of_a_text(text: str, case: str) -> None:
    assert facts(text)["case"] == case


@pytest.mark.parametrize(
    ("text", "ratio"),
    [("STOP it", 4 / 6), ("ÄRGER über", 5 / 9), ("漢字 A", 1 / 3), ("\N{ROMAN NUMERAL FOUR}A", 1), ("12!", None)],
)
def test_the_share_of_upper_case_letters_in_any_script(text: str, ratio: float | None) -> None:
    assert facts(text).get("uppercase_ratio") == (ratio if ratio is None else pytest.approx(ratio))


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("naïve café", "Latin"),
        ("Привет, world", "Cyrillic"),
        ("Ελληνικά", "Greek"),
        ("漢字仮名", "Han"),
        ("\N{FULLWIDTH LATIN SMALL LETTER F}", "Latin"),
        ("한국어", "Hangul"),
        ("12 + 34 = 46", None),
        ("\N{MATHEMATICAL BOLD SMALL B}", None),
    ],
)
def test_the_script_is_that_of_most_letters(text: str, script: str | None) -> None:
    assert dominant_script(text) == script


def test_an_empty_text_has_no_shares() -> None:
    assert set(facts("")) == {"type", "length", "hash"}


def test_equal_inputs_have_equal_hashes_and_others_differ() -> None:
    inputs: list[object] = ["a", "b", [1, 2], [2, 1], {"a": 1}, {"a": 2}, np.ones(3), np.zeros(3), np.ones((3, 1))]
    digests = [facts(value)["hash"] for value in inputs]
    assert len(set(digests)) == len(inputs)
    assert [facts(value)["hash"] for value in inputs] == digests


@pytest.mark.parametrize("make", [np.array, torch.tensor])
def test_an_array_is_told_by_its_finite_elements_whatever_its_library(make: Any) -> None:
    found = facts(make([[1.0, 2.0, 3.0], [6.0, math.nan, -math.inf]]))
    assert (found["shape"], found["nan_count"], found["inf_count"]) == ([2, 3], 1, 1)
    assert (found["min"], found["max"], found["mean"]) == (1, 6, 3)
    assert found["std"] == pytest.approx(math.sqrt(3.5))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.int8, torch.bool])
def test_every_numeric_dtype_is_read(dtype: torch.dtype) -> None:
    found = facts(torch.ones(2, 2, dtype=dtype, requires_grad=False))
    assert (found["dtype"], found["mean"]) == (str(dtype).removeprefix("torch."), 1)


def test_the_same_numbers_have_the_same_hash_in_numpy_and_torch() -> None:
    values = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    assert facts(values)["hash"] == facts(torch.from_numpy(values))["hash"]  # pyright: ignore[reportUnknownMemberType] - torch's own annotation


class OnAccelerator:
    """A tensor of which every look at an element would wait for the device."""

    shape = (2, 3)
    dtype = "torch.float32"
    device = "cuda:0"

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"{name} would synchronise")


def test_of_an_array_on_an_accelerator_only_the_structure_is_told() -> None:
    found = characterise(OnAccelerator())
    assert found == {
        "infersight.input.type": f"{__name__}.OnAccelerator",
        "infersight.input.shape": [2, 3],
        "infersight.input.dtype": "float32",
        "infersight.device": "cuda:0",
        "infersight.batch.size": 2,
    }


def test_an_array_that_cannot_be_read_is_told_by_its_structure() -> None:
    found = facts(torch.eye(3).to_sparse())
    assert found["shape"] == [3, 3]
    assert "mean" not in found


def test_nested_lists_of_numbers_are_read_as_numbers() -> None:
    found = facts([[1, 2], [3.0, math.nan]])
    assert (found["min"], found["max"], found["mean"], found["nan_count"]) == (1, 3, 2, 1)


def test_a_list_of_one_is_that_item_and_a_list_of_texts_a_count() -> None:
    assert facts(["Hello"])["script"] == "Latin"
    assert characterise(["a", "b"]) == {"infersight.input.type": "list", "infersight.batch.size": 2}


@dataclasses.dataclass
class Applicant:
    age: int
    income: float
    name: str | None


@pytest.mark.parametrize(
    "applicant",
    [Applicant(41, math.nan, ""), {"name": "", "age": 41, "income": math.nan}],
    ids=["dataclass", "mapping"],
)
def test_a_mapping_is_told_by_its_fields_and_what_is_missing(applicant: object) -> None:
    found = facts(applicant)
    assert (found["fields"], found["missing"]) == (["age", "income", "name"], ["income", "name"])


def test_what_holds_itself_ends() -> None:
    nested: dict[str, object] = {}
    nested["self"] = nested
    endless: list[object] = []
    endless.extend([endless, endless])
    assert facts(nested)["fields"] == ["self"]
    assert facts(endless)["type"] == "list"


@pytest.mark.parametrize(
    "value",
    [
        "word " * 2_000_000,
        np.ones((4, 3, 1024, 1024), np.float32),
        np.ones((3, 4_000_000), np.float32)[:, ::2].T,
        torch.ones(8_000_000),
        [[0.5] * 1000] * 1000,
        {f"field {number}": "x" * 100_000 for number in range(1000)},
    ],
    ids=["text", "array", "strided", "tensor", "list", "mapping"],
)
def test_a_huge_input_takes_little_time_and_says_what_was_looked_at(value: object) -> None:
    took: list[float] = []
    for _ in range(5):
        began = time.perf_counter()
        characterise(value)
        took.append(time.perf_counter() - began)
    assert min(took) < 0.05  # each takes seconds where everything is read in Python, and a few milliseconds here
    if not isinstance(value, dict):
        assert facts(value)["sample_size"] <= 32_768
