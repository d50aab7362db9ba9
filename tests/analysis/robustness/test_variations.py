"""The variations: what each makes of an input, the same for the same seed, and what none of them touches."""

import unicodedata
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infersight_analysis.errors import AnalysisError
from infersight_analysis.robustness import numbers
from infersight_analysis.robustness.variations import Variation, chosen, kind_of

EVERY = {variation.name: variation for variation in chosen([], [], 0.01, in_batches=True)}


def varied(name: str, value: Any, seed: str = "1") -> list[Any]:
    return list(EVERY[name].of(value, seed))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("case.upper", "So it is", "SO IT IS"),
        ("case.lower", "So it is", "so it is"),
        ("case.title", "So it is", "So It Is"),
        ("whitespace.doubled", "a b", "a  b"),
        ("whitespace.around", "a b", "  a b "),
        ("whitespace.line_breaks", "a b", "a\nb"),
        ("whitespace.collapsed", " a \t b\n", "a b"),
        ("typos.swapped", "ab", "ba"),
        ("typos.repeated", "a", "aa"),
        ("unicode.nfc", "cafe\u0301", "caf\u00e9"),
        ("unicode.nfd", "caf\u00e9", "cafe\u0301"),
        ("unicode.nfkc", "\ufb01ne", "fine"),
        ("unicode.full_width", "a 1", "\uff41 \uff11"),
        ("unicode.no_break_spaces", "a b", "a\u00a0b"),
        ("unicode.look_alikes", "a", "\u0430"),
        ("unicode.zero_width", "ab", "a\u200bb"),
        ("punctuation.removed", "so, it's!", "so its"),
        ("punctuation.final_stop", "so.", "so"),
        ("punctuation.final_stop", "so", "so."),
        ("punctuation.typographic", '"it\'s" - so', "\u201cit\u2019s\u201d \u2013 so"),
        ("truncation.end", "0123456789", "012345678"),
        ("truncation.start", "0123456789", "123456789"),
    ],
)
def test_a_text_is_written_otherwise(name: str, text: str, expected: str) -> None:
    assert varied(name, text) == [expected]


@given(text=st.text(max_size=80), seed=st.text(max_size=3))
def test_variants_differ_from_the_input_and_from_each_other_and_come_again(text: str, seed: str) -> None:
    for variation in EVERY.values():
        if "text" in variation.kinds:
            found = list(variation.of(text, seed))
            assert text not in found
            assert len(set(found)) == len(found) <= variation.draws
            assert list(variation.of(text, seed)) == found


@given(text=st.text(st.characters(codec="ascii", categories=["L"]), min_size=2, max_size=60))
def test_typos_are_near_and_look_alikes_look_alike(text: str) -> None:
    for name, change in (("typos.dropped", -1), ("typos.repeated", 1), ("typos.neighbour", 0), ("typos.swapped", 0)):
        mistakes = max(1, len(text) // 50)
        assert all(len(found) == len(text) + change * mistakes for found in varied(name, text))
    assert all(sorted(found) == sorted(text) for found in varied("typos.swapped", text))
    for found in varied("unicode.full_width", text):
        assert unicodedata.normalize("NFKC", found) == text


def test_chance_draws_several_variants_and_another_seed_other_ones() -> None:
    text = "the quick brown fox jumps over the lazy dog"
    first, second = varied("typos.swapped", text, "1"), varied("typos.swapped", text, "2")
    assert len(first) == 3
    assert first != second


def test_noise_is_as_large_as_asked_and_leaves_integers_alone() -> None:
    values = np.linspace(1, 2, 5000)
    (noisy, *_) = EVERY["noise"].of(values, "1")
    assert np.std(noisy / values - 1) == pytest.approx(0.01, rel=0.05)
    assert np.mean(noisy / values) == pytest.approx(1, abs=0.001)
    assert varied("noise", np.arange(5)) == []
    record = {"age": 41, "income": 1000.0, "name": "a"}
    for found in varied("noise", record):
        assert found == {**record, "income": found["income"]}
        assert found["income"] == pytest.approx(1000, rel=0.05)


def test_scales_are_off_by_a_twentieth() -> None:
    assert varied("scale.up", [1.0, [2.0, 3]]) == [[1.05, [2.1, 3]]]
    (down,) = varied("scale.down", np.ones(2, np.float32))
    assert down.dtype == np.float32
    assert down.tolist() == pytest.approx([0.95, 0.95])


def test_one_value_is_missing_at_a_time() -> None:
    record = {"age": 41, "income": 1.5, "name": "a"}
    for found in varied("missing.null", record):
        assert [name for name in record if found[name] is None] != []
        assert sum(found[name] != record[name] for name in record) == 1
    for found in varied("missing.absent", record):
        assert len(found) == 2
    for found in varied("missing.nan", [1.0, 2.0, 3.0, 4.0]):
        assert np.isnan(found).sum() == 1
    for found in varied("missing.nan", np.ones((2, 2))):
        assert np.isnan(found).sum() == 1
    assert varied("missing.null", {}) == []
    assert varied("missing.nan", np.arange(3)) == []


def test_the_same_numbers_are_held_in_other_types() -> None:
    (as_list,) = varied("dtype.list", np.ones(2, np.float32))
    assert as_list == [1.0, 1.0]
    assert [found.dtype for found in varied("dtype.float16", np.ones(2))] == [np.float16]
    assert np.isinf(varied("dtype.float16", np.array([1e9]))[0]).all()
    assert varied("dtype.float64", np.ones(2)) == []
    (as_float,) = varied("dtype.float", {"age": 41})
    assert isinstance(as_float["age"], float)
    assert varied("dtype.text", {"age": 41, "x": 1.5, "is": True}) == [{"age": "41", "x": "1.5", "is": True}]


def test_of_records_texts_of_several_words_are_varied_or_the_named_fields() -> None:
    record = {"country": "de", "note": "two words", "x": 1.5, "y": 2.5}
    assert varied("case.upper", record) == [{**record, "note": "TWO WORDS"}]
    named = {variation.name: variation for variation in chosen([], ["country", "y"], 0.01, in_batches=False)}
    assert list(named["case.upper"].of(record, "1")) == [{**record, "country": "DE"}]
    assert list(named["scale.up"].of(record, "1")) == [{**record, "y": 2.625}]
    for found in named["missing.absent"].of(record, "1"):
        assert set(record) - set(found) <= {"country", "y"}
        assert len(found) == 3


def test_variations_are_chosen_by_name_or_family() -> None:
    names = [variation.name for variation in chosen(["case.upper", "truncation"], [], 0.01, in_batches=False)]
    assert names == ["case.upper", "truncation.end", "truncation.start"]
    assert "batch.alone" not in {variation.name for variation in chosen([], [], 0.01, in_batches=False)}
    with pytest.raises(AnalysisError, match="no variation 'cases': choose of batch, case, dtype"):
        chosen(["cases"], [], 0.01, in_batches=False)


def test_kinds_are_told_apart() -> None:
    values: list[Any] = ["a", np.ones(2), {"a": 1}, [1.0], 1.5, None]
    assert [kind_of(value) for value in values] == ["text", "array", "record", "numbers", "numbers", "other"]


def test_every_variation_says_what_it_does() -> None:
    assert all(variation.about and not variation.about.endswith(".") for variation in EVERY.values())
    assert isinstance(EVERY["noise"], Variation)


def test_numbers_are_changed_wherever_they_are() -> None:
    value = {"a": [1.5, {"b": 2.5}], "c": "3.5", "d": 4, "e": None}
    assert numbers.mapped(value, lambda number: -number) == {"a": [-1.5, {"b": -2.5}], "c": "3.5", "d": 4, "e": None}
    assert numbers.one_nan("text", Random(1)) == "text"
