"""What is read from the arguments of a call, with real arrays of the libraries that are installed."""

import numpy as np
import pytest
import torch

from infersight._inputs import describe_input, shape_of


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        (
            torch.zeros(4, 3, dtype=torch.int64),
            {"batch.size": 4, "input.shape": [4, 3], "input.dtype": "int64", "device": "cpu"},
        ),
        (
            np.zeros((2, 5), dtype=np.float16),
            {"batch.size": 2, "input.shape": [2, 5], "input.dtype": "float16", "device": "cpu"},
        ),
        (torch.tensor(1.0), {"input.shape": [], "input.dtype": "float32", "device": "cpu"}),
        ([[1.0], [2.0]], {"batch.size": 2}),
        (("a", "b", "c"), {"batch.size": 3}),
        ({"text": "no array", "ids": torch.zeros(7, dtype=torch.int32)}, {"batch.size": 7, "input.shape": [7]}),
        ("text", {}),
        (None, {}),
    ],
    ids=["torch", "numpy", "scalar", "nested list", "tuple", "mapping", "text", "none"],
)
def test_an_argument_is_described_by_its_duck_type(argument: object, expected: dict[str, object]) -> None:
    found = describe_input([argument])
    assert {key: found.get(f"infersight.{key}") for key in expected} == expected
    assert bool(found) == bool(expected)


def test_the_first_argument_that_is_an_input_counts() -> None:
    assert describe_input([object(), "text", [1, 2], torch.zeros(9)]) == {"infersight.batch.size": 2}


def test_what_only_looks_like_an_array_is_none() -> None:
    class Shaped:
        shape = "round"

    class Sized:
        shape = (1, "many")

    assert shape_of(Shaped()) is None
    assert shape_of(Sized()) is None


def test_a_mapping_that_holds_itself_ends() -> None:
    endless: dict[str, object] = {}
    endless["again"] = endless
    assert describe_input((endless,)) == {}
