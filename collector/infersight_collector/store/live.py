"""The files that a table consists of at the moment."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# pyarrow publishes no types.

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from infersight_collector.store.files import NEW, PINNED
from infersight_collector.store.partitions import Partition


@dataclass(frozen=True, slots=True)
class File:
    """A live file of a table, as its log describes it.

    Attributes:
        path: below the table's directory.
        partition: where its rows belong.
        rows: number of its rows.
        size: in bytes.
        modified_ms: when the newest of its rows came, in milliseconds since the epoch.
    """

    path: str
    partition: Partition
    rows: int
    size: int
    modified_ms: int

    @property
    def is_new(self) -> bool:
        """Whether the rows are in the order of arrival rather than sorted."""
        return self._name.startswith(NEW)

    @property
    def pinned_by(self) -> str | None:
        """The digest of the pins whose rows are all that is left in the file; None of any other file."""
        kind, _, rest = self._name.partition("-")
        return rest.partition("-")[0] if kind == PINNED else None

    @property
    def _name(self) -> str:
        return self.path.rpartition("/")[2]


def live_files(delta: DeltaTable) -> dict[str, File]:
    """The files of the table in the version that was looked at last, by path."""
    described: Any = pa.table(delta.get_add_actions(flatten=True)).to_pylist()
    files = (
        File(
            path=row["path"],
            partition=Partition(row["partition.date"], row["partition.hour"]),
            rows=row["num_records"],
            size=row["size_bytes"],
            modified_ms=row["modification_time"],
        )
        for row in described
    )
    return {file.path: file for file in files}
