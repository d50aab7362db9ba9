"""Masks: values that are told by their form alone become `<*>`."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyarrow publishes no types.

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infersight_collector.templates import ANY, masked
from infersight_collector.templates.masks import MAX_LENGTH


def mask(*texts: str | None) -> list[str | None]:
    found: list[str | None] = masked(pa.array(texts, pa.string())).to_pylist()
    return found


@pytest.mark.parametrize(
    "value",
    [
        "7",
        "-7",
        "3.14",
        "1,293",
        "0x7f",
        "deadbeef",
        "550e8400-e29b-41d4-a716-446655440000",
        "10.0.0.1",
        "10.0.0.1:8080",
        "2607:f140:6000:8:c6b3:1ff:fecd:467f",
        "00:1b:44:11:3a:b7",
        "2026-03-01T10:00:00.123Z",
        "2026-03-01 10:00:00",
        "Fri Jun 17 07:07:00 2005",
        "12 ms",
        "12ms",
        "1.2 s",
        "<1 sec",
        "512 MiB",
        "/var/lib/models/sentiment.bin",
        "C:\\models\\sentiment.bin",
        "https://models.example.com/v1?name=a&b=2",
        "ns.example.com",
        "blk_38865049064139660",
        "7, 8, 9",
        "1 2 3 4",
    ],
)
def test_a_value_becomes_one_mask_in_the_place_where_it_was(value: str) -> None:
    assert mask(f"loaded {value} for (user={value}) again") == [f"loaded {ANY} for (user={ANY}) again"]


@pytest.mark.parametrize(
    "text",
    [
        "model loaded",
        "Marked as done",
        "key=value",
        "std::vector grows",
        "application/json and/or text",
        "a / b",
        "f()",
        "failed: torch.cuda",
    ],
)
def test_words_stay(text: str) -> None:
    assert mask(text) == [text]


def test_durations_and_sizes_are_masked_with_their_unit() -> None:
    assert len(set(mask("done in 900 us", "done in 12 ms", "done in 1.5 seconds", "done in 2h"))) == 1
    assert len(set(mask("read 900 B", "read 1.2 KiB", "read 3MB"))) == 1


def test_a_size_said_twice_and_a_value_that_is_absent_make_no_difference() -> None:
    assert len(set(mask("sent 64 bytes of it", "sent 1293 bytes (1.26 KB) of it"))) == 1
    assert len(set(mask("connection from 10.0.0.1 () refused", "connection from 10.0.0.1 (1.2.3.4) refused"))) == 1


def test_the_number_of_values_in_a_list_makes_no_difference() -> None:
    assert len(set(mask("shape [1, 3]", "shape [8, 3, 224, 224]", "shape [7]"))) == 1


def test_the_first_line_counts() -> None:
    assert mask("failed:\nTraceback", "\n  failed:\r\n  and so on", "failed:") == ["failed:"] * 3


def test_the_beginning_of_a_long_message_counts() -> None:
    beginning = "very " * (MAX_LENGTH // 5)
    assert len(set(mask(beginning + "long", beginning + "short"))) == 1


def test_null_stays_null_and_nothing_is_nothing() -> None:
    assert mask(None, "", " \n") == [None, "", ""]


@given(st.lists(st.text(), max_size=5))
def test_any_text_is_masked_and_a_mask_stays_one(texts: list[str]) -> None:
    once = mask(*texts)
    assert len(once) == len(texts)
    assert all(text is not None and "\n" not in text for text in once)


WORDS = st.sampled_from(["loaded", "model", "for", "user", "of", "failed:", "(batch", "size)", "id="])
VALUES = st.one_of(
    st.integers(0).map(str), st.uuids().map(str), st.ip_addresses(v=4).map(str), st.floats(0, 1e9).map(str)
)


@given(st.lists(st.one_of(WORDS, VALUES), min_size=1, max_size=20))
def test_a_masked_message_is_masked_as_itself(parts: list[str]) -> None:
    (once,) = mask(" ".join(parts))
    assert mask(once) == [once]
