"""The partition of a row."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

from datetime import UTC, datetime

import pyarrow as pa

from infersight_collector.store.partitions import MAX_PARTITIONS, UNPLACED, Partition, by_partition

HOUR_NS = 3_600 * 10**9


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


def split(times: list[int | None]) -> dict[Partition, list[int | None]]:
    rows = pa.table({"time_ns": pa.array(times, pa.int64())})
    return {partition: part["time_ns"].to_pylist() for partition, part in by_partition(rows, "time_ns")}


def test_rows_go_to_the_hour_of_their_time_in_utc() -> None:
    late, early = ns("2026-03-01T23:59:59"), ns("2026-03-02T00:00:00")
    assert split([late, early, late + 1]) == {
        Partition("2026-03-01", "23"): [late, late + 1],
        Partition("2026-03-02", "00"): [early],
    }
    assert Partition("2026-03-01", "23").directory == "date=2026-03-01/hour=23"


def test_absent_and_incredible_times_are_kept_apart() -> None:
    fine = ns("2026-03-01T10:00:00")
    assert split([None, fine, 0, -5, 2**63 - 1]) == {
        Partition("2026-03-01", "10"): [fine],
        UNPLACED: [None, 0, -5, 2**63 - 1],
    }
    assert list(split([None])) == [UNPLACED]


def test_scattered_times_make_a_bounded_number_of_partitions() -> None:
    first = ns("2020-01-01T00:00:00")
    scattered: list[int | None] = [first + hour * HOUR_NS for hour in range(1_000)]
    frequent: list[int | None] = [first + 500 * HOUR_NS + 1] * 3
    parts = split([*scattered, *frequent])
    assert len(parts) == MAX_PARTITIONS + 1
    assert sum(map(len, parts.values())) == 1_003
    assert len(parts[Partition("2020-01-21", "20")]) == 4
