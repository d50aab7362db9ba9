"""Which partition a row belongs to."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportUnknownLambdaType=false
# pyarrow publishes no types.

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from infersight_collector.store.layout import UNPLACED_DATE

MAX_PARTITIONS: Final = 64
"""Most partitions that the rows of one write go to, so that scattered times cannot make thousands of files."""

_HOUR_NS: Final = 3_600 * 10**9
_FIRST_HOUR: Final = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) // 3_600
_HOURS_AHEAD: Final = 24  # how far a sender's clock may be fast


class Partition(NamedTuple):
    """The values of the partition columns."""

    date: str
    hour: str

    @property
    def directory(self) -> str:
        """Path of the partition below its table, in Hive's form."""
        return f"date={self.date}/hour={self.hour}"

    @property
    def hours(self) -> int | None:
        """Hours from the epoch to the beginning of the partition's hour, UTC; None of `UNPLACED`."""
        if self == UNPLACED:
            return None
        return int(datetime.fromisoformat(f"{self.date}T{self.hour}:00+00:00").timestamp()) // 3_600


UNPLACED: Final = Partition(UNPLACED_DATE, "00")
"""Rows without a time, with one that cannot be true, or scattered over too many hours. Kept apart, because one such
row widens the range of times of its file, and a file is skipped by that range."""


def by_partition(rows: pa.Table, time_column: str) -> Iterator[tuple[Partition, pa.Table]]:
    """Splits rows by the UTC hour of their time.

    Args:
        rows: the rows; times in nanoseconds since the epoch.
        time_column: name of the column that places a row in time.

    Yields:
        each partition with its rows, at most `MAX_PARTITIONS` of them and `UNPLACED`.
    """
    hours = _hours(rows, time_column)
    distinct, places, counts = np.unique(hours, return_inverse=True, return_counts=True)
    if len(distinct) == 1:
        yield _partition(int(distinct[0])), rows
        return
    if len(distinct) > MAX_PARTITIONS:
        rare = np.argsort(counts, kind="stable")[:-MAX_PARTITIONS]
        hours[np.isin(places, rare)] = 0
        distinct, places = np.unique(hours, return_inverse=True)
    for place, hour in enumerate(distinct.tolist()):
        yield _partition(hour), rows.filter(pa.array(places == place))


def _hours(rows: pa.Table, time_column: str) -> npt.NDArray[np.int64]:
    """Hours since the epoch of the rows, 0 where they have no credible time."""
    times = pc.fill_null(rows[time_column], 0).to_numpy()
    hours: npt.NDArray[np.int64] = times // _HOUR_NS
    last = int(time.time()) // 3_600 + _HOURS_AHEAD
    return np.where((hours >= _FIRST_HOUR) & (hours <= last), hours, 0)


def _partition(hour: int) -> Partition:
    if not hour:
        return UNPLACED
    start = datetime.fromtimestamp(hour * 3_600, UTC)
    return Partition(f"{start:%Y-%m-%d}", f"{start:%H}")
