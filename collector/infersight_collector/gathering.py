"""Rows from several places in one table."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

from collections.abc import Sequence

import pyarrow as pa

from infersight_collector.store.attributes import conform


def gather(tables: Sequence[pa.Table], name: str) -> pa.Table:
    """The rows of several tables, in the layout of `store.layout`, as one table.

    Where they have different types for an attribute, as metrics that were derived from spans may have others than
    metrics that arrived, the first one's is kept, and the others' values move to the column `*_other`.

    Args:
        tables: at least one.
        name: the table's name.
    """
    gathered = tables[0]
    for rows in tables[1:]:
        if not rows.schema.equals(gathered.schema):
            rows = conform(rows, name, gathered.schema)  # noqa: PLW2901 - the same rows
        gathered = pa.concat_tables([gathered, rows], promote_options="permissive")
    return gathered
