"""What an exemplar knows of its data point, under the names that the `metrics` table has for it."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

from typing import Final

import pyarrow as pa

from infersight_collector.processors.edited import array_of, with_column

_NAMES: Final = {
    "name": "metric_name",
    "type": "metric_type",
    "time_ns": "point_time_ns",
    "attributes": "point_attributes",
    "attributes_other": "point_attributes_other",
    **{
        name: name
        for name in (
            "service_name",
            "service_version",
            "service_instance_id",
            "resource_attributes",
            "resource_attributes_other",
            "scope_name",
        )
    },
}

POINT_COLUMNS: Final = frozenset(_NAMES)
"""The columns of the `metrics` table that exemplars know."""


def points_of(exemplars: pa.Table) -> pa.Table:
    """A row in the layout of `metrics` for each exemplar, with the columns that it knows."""
    present = {name: own for name, own in _NAMES.items() if own in exemplars.column_names}
    return exemplars.select(list(present.values())).rename_columns(list(present))


def with_points(exemplars: pa.Table, points: pa.Table) -> pa.Table:
    """The exemplars with what they know of their data points replaced."""
    for name, own in _NAMES.items():
        exemplars = with_column(exemplars, own, array_of(points, name) if name in points.column_names else None)
    return exemplars
