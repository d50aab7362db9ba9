"""Sizes of disks as people write them."""

import pytest

from infersight_collector.config.values import Duration
from infersight_collector.store.size import Size


@pytest.mark.parametrize(
    ("text", "size"),
    [("1B", 1), ("500MB", 500 * 10**6), ("1.5 GB", 15 * 10**8), ("2TiB", 2 * 2**40), ("1KiB", 1024), ("50%", 5_000)],
)
def test_a_size_is_bytes_or_a_part_of_the_file_system(text: str, size: int) -> None:
    assert Size.parse(text).of(10_000) == size


@pytest.mark.parametrize("text", ["", "50", "GB", "-1GB", "0GB", "101%", "0.5%", "1PB", "1 000MB", "1gb"])
def test_what_is_no_size_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="is no size: write 500MB, 50GB, 1TB or, of the file system, 50%"):
        Size.parse(text)


def test_days_are_durations() -> None:
    assert Duration.parse("14d") == Duration(14 * 86_400)
