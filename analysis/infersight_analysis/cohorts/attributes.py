"""Which attributes of requests are looked at, and how each is read."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import duckdb

from infersight_analysis.cohorts.columns import hash_of
from infersight_analysis.cohorts.question import OUTCOMES
from infersight_analysis.stored import literal

_NUMERIC: Final = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UBIGINT", "HUGEINT", "FLOAT", "DOUBLE"})

NAMES: Final = (".id", ".pid", ".port", ".status_code", ".line.number", ".lineno", "_id")
"""Ends of keys whose integers are names: one is not more than another."""

_COLUMNS: Final = frozenset({"service.name", "service.version", "service.instance.id"})
"""Resource attributes that are columns of their own."""


@dataclass(frozen=True)
class Attribute:
    """Something that a span, a prediction or a log record has.

    Args:
        name: its name.
        sql: an expression that gives it.
        is_number: whether more and less of it mean something.
        is_count: whether it says how many spans there are, rather than something about them.
        is_outcome: whether, of the request and its parent, it only restates which cohort the request is in.
    """

    name: str
    sql: str
    is_number: bool = False
    is_count: bool = False
    is_outcome: bool = False

    @property
    def reading(self) -> str:
        """The expression as it is read: a number as a double, NaN where there is none, the hash of anything else."""
        if self.is_number:
            return f"coalesce(({self.sql})::double, 'nan'::double)"
        return hash_of(self.sql)

    def equals(self, value: object) -> str:
        """The condition in SQL that it has a value."""
        if isinstance(value, bool | int | float):
            return f"{self.sql} = {value}"
        return f"({self.sql})::varchar = {literal(value)}"


CALLED: Final = Attribute("called", "true", is_count=True)
"""Whether a request has a span of an operation below it; whether it has a parent."""

CALLS: Final = Attribute("calls", "count(*)", is_number=True, is_count=True)
"""How often a request has a span of an operation below it."""

OF_SPANS: Final = tuple(
    Attribute(name, name)
    for name in ("service_name", "name", "kind", "scope_name", "scope_version", "status_code", "status_message")
)
OF_RESOURCES: Final = tuple(Attribute(name, name) for name in ("service_version", "service_instance_id"))


def attributes_of(
    connection: duckdb.DuckDBPyConnection, column: str, columns: Iterable[Attribute], restated: frozenset[str]
) -> list[Attribute]:
    """Columns, and the keys of a column of attributes, of spans, but for those that restate the cohorts.

    Args:
        connection: from `connect`.
        column: `attributes` or `resource_attributes`.
        columns: the columns besides.
        restated: names to leave out.
    """
    keys = connection.execute(
        "select key, type from attribute_keys where table_name = 'spans' and column_name = $column order by key",
        {"column": column},
    ).fetchall()
    of_keys = [
        Attribute(key, f"{column}[{literal(key)}]", kind in _NUMERIC and not key.endswith(NAMES))
        for key, kind in keys
        if column == "attributes" or key not in _COLUMNS
    ]
    return [
        replace(attribute, is_outcome=attribute.name in restated)
        for attribute in (*columns, *of_keys)
        if attribute.name not in restated or attribute.name in OUTCOMES
    ]
