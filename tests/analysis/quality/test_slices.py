"""Slices: what was planted is found first, what chance explains is not, and each thing is said once."""

from typing import Any

import numpy as np
import pytest
from tests.analysis.quality.populations import BASE, EFFECTS, Effect, table

from infersight_analysis.quality.slices import Found, Search
from infersight_analysis.quality.tables import predictions_of


def slices(columns: dict[str, Any]) -> list[Found]:
    predictions = predictions_of(columns)
    return Search(predictions, predictions.is_wrong).slices()


def told(found: Found) -> list[tuple[str, str]]:
    """Attributes and values of a slice."""
    return sorted((trait.attribute.name, value) for trait, value in zip(found.traits, found.values, strict=True))


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.name)
def test_what_was_planted_is_found_first(effect: Effect) -> None:
    for seed in range(3):
        found = slices(table(1_500, seed, effect))
        assert found, seed
        assert tuple(sorted(trait.attribute.name for trait in found[0].traits)) == effect.attributes


def test_mistakes_by_chance_are_in_no_slice() -> None:
    assert sum(bool(slices(table(1_000, seed))) for seed in range(60)) <= 2


@pytest.mark.slow
def test_mistakes_by_chance_are_in_no_slice_in_a_thousand_populations() -> None:
    assert sum(bool(slices(table(1_000, seed))) for seed in range(1_000)) <= 10


def test_a_range_of_numbers_has_its_ends() -> None:
    (found, *_) = slices(table(3_000, 1, EFFECTS[2]))
    ((name, value),) = told(found)
    low, high = (float(part.split()[-1]) for part in value.split(" and "))
    assert name == "length"
    assert 35 <= low < high <= 90
    assert found.comparisons[0][1] == [f"> {low!r}", f"<= {high!r}"]


def test_two_reasons_are_two_slices() -> None:
    both = Effect("", (), lambda of: np.where((of["case"] == "upper") | (of["tenant"] == "tenant-3"), 0.4, BASE))
    found = [told(each) for each in slices(table(3_000, 2, both))]
    assert [("case", "upper")] in found[:2]
    assert [("tenant", "tenant-3")] in found[:2]


def test_what_only_goes_with_a_slice_is_not_said_again() -> None:
    columns = table(2_000, 3, EFFECTS[0])
    chance = np.random.default_rng(1)
    # Long texts are often in capitals, but no worse for it.
    columns["length"] = np.where(columns["case"] == "upper", columns["length"] + chance.integers(0, 400, 2_000), 30.0)
    assert [told(each) for each in slices(columns)] == [[("case", "upper")]]


def test_what_the_same_predictions_have_is_listed_with_the_slice() -> None:
    columns = table(1_500, 4, EFFECTS[0])
    columns["font"] = np.where(columns["case"] == "upper", "bold", "regular")
    columns["loudness"] = np.where(columns["case"] == "upper", 1.0, 0.1)
    (found, *_) = slices(columns)
    assert told(found) == [("case", "upper")]
    assert {name for name, _ in found.same_as} == {"font", "loudness"}


def test_one_of_several_values_that_an_input_may_have_is_a_slice() -> None:
    columns = table(1_500, 5)
    chance = np.random.default_rng(2)
    columns["missing"] = [
        chance.choice(["age", "income", "city"], chance.integers(0, 3), replace=False).tolist() for _ in range(1_500)
    ]
    label = np.array(["income" in each for each in columns["missing"]]) & (chance.random(1_500) < 0.3)
    columns["label"] = np.where(label, "neither", columns["label"])
    assert told(slices(columns)[0]) == [("missing", "income")]


@pytest.mark.parametrize("wrong", [0, 4])
def test_a_handful_of_mistakes_is_too_few(wrong: int) -> None:
    label = ["a"] * 200
    assert (
        slices(
            {"label": label, "label_true": ["b"] * wrong + label[wrong:], "case": ["x"] * wrong + ["y"] * (200 - wrong)}
        )
        == []
    )
