import pytest
from hypothesis import given
from hypothesis import strategies as st

from infersight_analysis.errors import AnalysisError
from infersight_analysis.times import iso_time, parse_duration, parse_time, short_duration


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [("500ms", 500_000_000), ("1h30m", 5_400_000_000_000), ("1.5s", 1_500_000_000), ("2d", 172_800_000_000_000),
     ("10us", 10_000), ("7 ns", None), ("", None), ("5", None), ("ms", None), ("1h-2m", None)],
)  # fmt: skip
def test_a_duration_is_read_whole_or_refused(text: str, nanoseconds: int | None) -> None:
    if nanoseconds is None:
        with pytest.raises(AnalysisError, match="is no duration"):
            parse_duration(text)
    else:
        assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T14:05:00Z", "2026-03-01T14:05:00.000000000Z"),
        ("2026-03-01T14:05:00.123456789Z", "2026-03-01T14:05:00.123456789Z"),
        ("2026-03-01 14:05:00.5+01:00", "2026-03-01T13:05:00.500000000Z"),
        ("2026-03-01", "2026-03-01T00:00:00.000000000Z"),
    ],
)
def test_a_time_is_read_with_its_nanoseconds_and_offset(text: str, expected: str) -> None:
    assert iso_time(parse_time(text)) == expected


def test_what_is_no_time_is_refused_with_an_example() -> None:
    with pytest.raises(AnalysisError, match="ISO 8601"):
        parse_time("yesterday")


@given(st.integers(-(2**62), 2**62))
def test_a_printed_time_is_read_back_exactly(time_ns: int) -> None:
    assert parse_time(iso_time(time_ns)) == time_ns


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [(0, "0 ns"), (999, "999 ns"), (1_500, "1.50 us"), (412_345_678, "412 ms"), (-5_000_000, "-5.00 ms"),
     (61_000_000_000, "61.0 s"), (1_234_000_000_000, "1234 s")],
)  # fmt: skip
def test_a_duration_for_people_has_three_digits_and_a_unit(nanoseconds: int, text: str) -> None:
    assert short_duration(nanoseconds) == text
