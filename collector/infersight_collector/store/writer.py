"""Rows into the tables, exactly once."""

from pathlib import Path
from typing import Any, Final, Self

import pyarrow as pa

from infersight_collector.store.wal import Origin


class Store:
    """A store that this process writes to; several processes may write to one store."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path

    @classmethod
    def open(cls, path: Path) -> Self:
        """Opens the store at `path`, creating it where the directory is absent or empty.

        Raises:
            StoreTooNew: a later release wrote it.
            StoreError: the directory holds something else.
        """
        raise NotImplementedError

    def write(self, tables: dict[str, pa.Table], origin: Origin) -> None:
        """Adds the rows of one segment, durably and exactly once; a table that has the origin already is skipped.

        Args:
            tables: rows by table name, in the layout of `schema` (as `decode` gives them).
            origin: the segment they come from; the numbers of one writer must arrive in order.

        Raises:
            StoreUnavailable: some tables may have been written, others not; the same call completes it.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Releases what the store holds."""
