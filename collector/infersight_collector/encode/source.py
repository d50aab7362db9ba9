"""The messages around records, their resource and instrumentation scope: the inverse of `decode.source`."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow.compute makes its functions when it is imported.

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from infersight_collector.encode.attributes import attribute_fields, struct_fields
from infersight_collector.encode.fields import Column, attribute, concatenate, message, text, varint, written
from infersight_collector.encode.grouping import Columns, Level, distinct, rows_of
from infersight_collector.encode.values import entity_fields

_SERVICE_KEYS: Final = {
    "service_name": "service.name",
    "service_version": "service.version",
    "service_instance_id": "service.instance.id",
}

_RESOURCE: Final = (
    *_SERVICE_KEYS,
    "resource_attributes",
    "resource_attributes_other",
    "resource_dropped_attributes_count",
    "resource_entity_refs",
    "resource_schema_url",
)

_SCOPE: Final = (
    "scope_name",
    "scope_version",
    "scope_attributes",
    "scope_attributes_other",
    "scope_dropped_attributes_count",
    "scope_schema_url",
)


def source_levels(columns: Columns) -> list[Level]:
    """The scopes and the resources of records, in this order.

    Every signal has them in the same fields: `resource_spans = 1`, `scope_spans = 2`, `schema_url = 3`.
    """
    scopes, different_scopes = distinct(columns, _SCOPE, _scope)
    resources, different_resources = distinct(columns, _RESOURCE, _resource)
    return [
        Level(2, written(_scope(different_scopes)), scopes),
        Level(1, written(_resource(different_resources)), resources),
    ]


def _resource(columns: Columns) -> Column:
    rows = rows_of(columns)
    own = [
        attribute_fields(1, columns, "resource_attributes", rows),
        *_service_attributes(columns),
        varint(2, columns["resource_dropped_attributes_count"]),
        entity_fields(3, columns["resource_entity_refs"]),
    ]
    return concatenate(
        [message(1, concatenate(own), keep_empty=False), text(3, columns["resource_schema_url"])],
    )


def _scope(columns: Columns) -> Column:
    own = [
        text(1, columns["scope_name"]),
        text(2, columns["scope_version"]),
        attribute_fields(3, columns, "scope_attributes", rows_of(columns)),
        varint(4, columns["scope_dropped_attributes_count"]),
    ]
    return concatenate([message(1, concatenate(own), keep_empty=False), text(3, columns["scope_schema_url"])])


def _service_attributes(columns: Columns) -> list[Column]:
    """Attributes from those columns of the service that no attribute says: ones that were made here."""
    said = {field.name: values for field, values in struct_fields(columns.get("resource_attributes"))}
    other = columns["resource_attributes_other"]
    found: list[Column] = []
    for name, key in _SERVICE_KEYS.items():
        column = columns[name]
        if key in said:
            column = pc.if_else(said[key].is_valid(), pa.scalar(None, pa.string()), column)
        in_other = pc.match_substring(other, f'"{key}":').fill_null(False)
        column = pc.if_else(in_other, pa.scalar(None, pa.string()), column)
        found.append(attribute(1, key, text(1, column)))
    return found
