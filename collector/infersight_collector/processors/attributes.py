"""The processors `attributes` and `resource`: insert, update, delete, hash and extract attributes."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from infersight_collector.component import Batch
from infersight_collector.processors.actions import Action
from infersight_collector.processors.edited import EditedAttributes, with_column
from infersight_collector.store.layout import SERVICE_COLUMNS

RECORD_ATTRIBUTES: Final = {
    "spans": "attributes",
    "logs": "attributes",
    "metrics": "attributes",
    "exemplars": "point_attributes",
}
"""The attributes of a table's records; an exemplar has those of its data point, which name its series."""

RESOURCE_ATTRIBUTES: Final = "resource_attributes"


@dataclass(frozen=True)
class AttributesProcessor:
    """Configuration of `attributes`: changes the attributes of spans, log records and data points.

    Attributes:
        actions: made in order.
    """

    actions: list[Action]

    def __post_init__(self) -> None:
        if not self.actions:
            raise ValueError("there are no actions: write [{key: ..., action: delete}]")

    def process(self, batch: Batch) -> Batch:
        """The batch with changed attributes."""
        return batch.replaced(
            {
                name: _changed(rows, RECORD_ATTRIBUTES[name], self.actions)
                for name, rows in batch.tables.items()
                if name in RECORD_ATTRIBUTES
            }
        )


@dataclass(frozen=True)
class ResourceProcessor:
    """Configuration of `resource`: changes the attributes of resources, and the columns that are made of them.

    Attributes:
        attributes: the changes, made in order.
    """

    attributes: list[Action]

    def __post_init__(self) -> None:
        if not self.attributes:
            raise ValueError("there are no attributes: write [{key: ..., value: ..., action: upsert}]")

    def process(self, batch: Batch) -> Batch:
        """The batch with changed resources."""
        return batch.replaced(
            {name: _changed(rows, RESOURCE_ATTRIBUTES, self.attributes) for name, rows in batch.tables.items()}
        )


def with_resource(rows: pa.Table, attributes: EditedAttributes, changed: Iterable[str]) -> pa.Table:
    """The rows with these attributes of their resources, and the columns that follow from the changed ones."""
    for key in changed:
        if key in SERVICE_COLUMNS:
            rows = with_column(rows, SERVICE_COLUMNS[key], attributes.text(key))
    return attributes.write(rows, RESOURCE_ATTRIBUTES)


def _changed(rows: pa.Table, column: str, actions: Sequence[Action]) -> pa.Table:
    if not rows.num_rows:
        return rows
    attributes = EditedAttributes.of(rows, column)
    for action in actions:
        action.apply(attributes, rows.num_rows)
    if column == RESOURCE_ATTRIBUTES:
        return with_resource(rows, attributes, [key for action in actions for key in action.changed_keys])
    return attributes.write(rows, column)
