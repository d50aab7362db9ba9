# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeStubs=false
# (pyarrow publishes no type information)
"""A directory of plain Parquet: the public views, one directory a view."""

from contextlib import closing
from pathlib import Path
from typing import Final

import duckdb
import pyarrow.parquet as pq

from infersight_analysis.export.selection import Selection
from infersight_analysis.progress import Progress
from infersight_analysis.report.columnar import BATCH_ROWS, read_batches
from infersight_analysis.stored import TABLES

_FILE_ROWS: Final = 1_000_000


def write_parquet(
    connection: duckdb.DuckDBPyConnection, selection: Selection, folder: Path, progress: Progress
) -> None:
    """Write the rows of the views that have rows of their own: `spans`, `traces`, `logs`, `metrics`, `exemplars`.

    Args:
        connection: from `connect`.
        selection: which rows.
        folder: an empty directory.
        progress: told of the rows.
    """
    for view in TABLES:
        (folder / view).mkdir()
        rows = connection.sql(f"select * from {view} where {selection.conditions[view]}")  # noqa: S608 - our own
        schema, batches = read_batches(rows, BATCH_ROWS)
        writer: pq.ParquetWriter | None = None
        written = files = 0
        with closing(batches):
            for batch in batches:
                if writer is None or written >= _FILE_ROWS:
                    if writer is not None:
                        writer.close()
                    writer = pq.ParquetWriter(folder / view / f"part-{files:05}.parquet", schema, compression="zstd")
                    files, written = files + 1, 0
                writer.write_batch(batch)
                written += batch.num_rows
                progress.rows += batch.num_rows
        # A view without rows is a file without rows, so that whoever reads it finds its columns.
        if writer is None:
            writer = pq.ParquetWriter(folder / view / "part-00000.parquet", schema, compression="zstd")
        writer.close()
