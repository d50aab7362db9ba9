"""Decisions are remembered, also by the next process, and bounded."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# pyarrow publishes no types.

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.traces import trace_id

from infersight_collector.processors.tail_sampling.decisions import Decisions
from infersight_collector.processors.trace_ids import Hashes, hashes, uniform
from infersight_collector.store.errors import StoreUnavailable

Steps = Sequence[tuple[dict[int, float], bool]]

steps = st.lists(
    st.tuples(st.dictionaries(st.integers(0, 2**64 - 1), st.floats(0, 1), max_size=20), st.booleans()), max_size=12
)
"""What is added, and whether it is settled then."""


def traces_of(known: Sequence[int]) -> Hashes:
    return np.array(known, np.uint64)


def add(decisions: Decisions, known: dict[int, float]) -> None:
    decisions.add(traces_of(list(known)), np.array(list(known.values()), np.float64))


def remembered(decisions: Decisions, known: Sequence[int]) -> list[float | None]:
    return [None if np.isnan(value) else value for value in decisions.probabilities(traces_of(known)).tolist()]


@given(steps)
def test_what_was_added_is_found_and_nothing_else(steps: Steps) -> None:
    decisions, expected = Decisions(10**6), dict[int, float]()
    for added, settled in steps:
        new = {trace: value for trace, value in added.items() if trace not in expected}
        add(decisions, new)
        expected |= new
        if settled:
            decisions.settle()
    assert remembered(decisions, list(expected)) == list(expected.values())
    assert remembered(decisions, [2**63 + 11]) == [expected.get(2**63 + 11)]


@given(steps=steps)
def test_the_next_process_knows_what_was_settled(tmp_path_factory: pytest.TempPathFactory, steps: Steps) -> None:
    directory = tmp_path_factory.mktemp("decisions")
    decisions, settled, open_ones = Decisions(10**6), dict[int, float](), dict[int, float]()
    decisions.open(directory)
    for added, is_settled in steps:
        new = {trace: value for trace, value in added.items() if trace not in settled | open_ones}
        add(decisions, new)
        open_ones |= new
        if is_settled:
            decisions.settle()
            settled |= open_ones
            open_ones = {}
    later = Decisions(10**6)
    later.open(directory)
    assert remembered(later, list(settled)) == list(settled.values())
    assert remembered(later, list(open_ones)) == [None] * len(open_ones)


def test_after_a_torn_write_everything_before_it_is_known_and_writing_goes_on(tmp_path: Path) -> None:
    first = Decisions(100)
    first.open(tmp_path)
    add(first, {1: 0.5, 2: 1.0})
    first.settle()
    [file] = tmp_path.iterdir()
    whole = len(file.read_bytes())
    add(first, {3: 0.25, 4: 0.3})
    first.settle()
    content = file.read_bytes()
    for cut in range(whole, len(content)):
        file.write_bytes(content[:cut] + b"\x00" * 40)
        second = Decisions(100)
        second.open(tmp_path)
        assert remembered(second, [1, 2, 3, 4]) == [0.5, 1.0, None, None]
        add(second, {5: 0.75})
        second.settle()
        third = Decisions(100)
        third.open(tmp_path)
        assert remembered(third, [1, 2, 3, 4, 5]) == [0.5, 1.0, None, None, 0.75]


def test_a_flipped_byte_ends_what_is_believed(tmp_path: Path) -> None:
    decisions = Decisions(100)
    decisions.open(tmp_path)
    add(decisions, {1: 0.5})
    decisions.settle()
    [file] = tmp_path.iterdir()
    content = file.read_bytes()
    for position in range(len(content)):
        file.write_bytes(content[:position] + bytes([content[position] ^ 4]) + content[position + 1 :])
        later = Decisions(100)
        later.open(tmp_path)
        assert remembered(later, [1]) == [None]


def test_memory_and_disk_are_bounded_and_the_younger_half_is_kept(tmp_path: Path) -> None:
    decisions = Decisions(100)
    decisions.open(tmp_path)
    for number in range(1000):
        add(decisions, {number: 0.5})
        decisions.settle()
        assert len(decisions) <= 100
        assert len(list(tmp_path.iterdir())) <= 2
    later = Decisions(100)
    later.open(tmp_path)
    for known in (decisions, later):
        assert remembered(known, range(950, 1000)) == [0.5] * 50
        assert remembered(known, range(900)) == [None] * 900


def test_a_directory_that_cannot_be_written_is_told_and_tried_again(tmp_path: Path) -> None:
    decisions = Decisions(100)
    directory = tmp_path / "decisions"
    decisions.open(directory)
    add(decisions, {1: 0.5})
    directory.rmdir()
    with pytest.raises(StoreUnavailable, match="cannot write"):
        decisions.settle()
    directory.mkdir()
    add(decisions, {2: 0.5})
    decisions.settle()
    later = Decisions(100)
    later.open(directory)
    assert remembered(later, [1, 2]) == [0.5, 0.5]


def test_a_file_in_place_of_the_directory_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "decisions").write_text("")
    with pytest.raises(StoreUnavailable, match="keep sampling decisions"):
        Decisions(100).open(tmp_path / "decisions")


def test_random_numbers_are_uniform_and_independent_of_the_ids_digits() -> None:
    count = 20_000
    ids = pa.array([f"{number:032x}" for number in range(count)])
    numbers = uniform(hashes(ids, "salt"))
    assert 0 <= numbers.min() < numbers.max() < 1
    # The largest distance to the uniform distribution, by Kolmogorov and Smirnov: 1.95 / sqrt(n) in 1 of 1 000 cases.
    distance = np.abs(np.sort(numbers) - np.arange(count) / count).max()
    assert distance < 1.95 / count**0.5
    for others in (np.arange(count) / count, uniform(hashes(ids, "other"))):
        assert abs(np.corrcoef(numbers, others)[0, 1]) < 4 / count**0.5


def test_ids_of_any_length_have_a_hash_of_their_own() -> None:
    texts = [trace_id(1), trace_id(2), "00", "0000", "ab" * 40, "", "ab" * 41]
    together = hashes(pa.array(texts), "salt")
    assert len(set(together.tolist())) == len(texts)
    assert together.tolist() == [hashes(pa.array([text]), "salt")[0] for text in texts]
    assert hashes(pa.array(["x" * 7, *texts]).slice(1), "salt").tolist() == together.tolist()
    assert len(hashes(pa.array([], pa.string()), "salt")) == 0
