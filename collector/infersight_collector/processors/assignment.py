"""One assignment of the processor `transform`: a target, and the expression of its new values."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from infersight_collector.processors.attributes import RESOURCE_ATTRIBUTES, with_resource
from infersight_collector.processors.edited import EditedAttributes, array_of, with_column
from infersight_collector.processors.sql import Database, Expression, Output, Result
from infersight_collector.store.layout import ATTRIBUTE_COLUMNS
from infersight_collector.store.schema import COLUMNS

_ATTRIBUTE: Final = re.compile(r"(\w+)\[\s*'((?:[^']|'')+)'\s*\]")

_ATTRIBUTE_KINDS: Final = (
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_boolean,
    pa.types.is_string,
    pa.types.is_binary,
    pa.types.is_null,
)

_NULL: Final = '"NULL"'
_INTEGERS: Final = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "HUGEINT",
)
_NUMBERS: Final = (*_INTEGERS, "FLOAT", "DOUBLE", "DECIMAL")

Check = Callable[[str], str]
"""Makes of the SQL of a new value the SQL that gives it where the column may have it, and fails elsewhere."""


def _any(value: str) -> str:
    return value


def _id(digits: int) -> Check:
    return lambda value: (
        f"case when ({value}) is null or regexp_full_match({value}, '[0-9a-f]{{{digits}}}') then {value} "
        f"else {_failing(value)} end"
    )


def _one_of(*names: str) -> Check:
    listed = ", ".join(f"'{name}'" for name in names)
    return lambda value: f"case when ({value}) in ({listed}) then {value} else {_failing(value)} end"


def _failing(value: str) -> str:
    """Fails for a row; `error` could not be tried row by row."""
    return f"cast(concat('not ', {value}) as bigint)::varchar"


_TRACE: Final = {"trace_id": _id(32), "span_id": _id(16)}
_SCOPE: Final = {"scope_name": _any, "scope_version": _any}

TARGETS: Final[dict[str, dict[str, Check]]] = {
    "spans": {
        **_TRACE,
        "parent_span_id": _id(16),
        "name": _any,
        "kind": _one_of("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"),
        "status_code": _one_of("UNSET", "OK", "ERROR"),
        "status_message": _any,
        "sample_weight": _any,
        **_SCOPE,
    },
    "logs": {
        **_TRACE,
        "severity_number": _any,
        "severity_text": _any,
        "body": _any,
        "event_name": _any,
        "sample_weight": _any,
        **_SCOPE,
    },
    "metrics": {"name": _any, "description": _any, "unit": _any, **_SCOPE},
    "exemplars": {**_TRACE, "metric_name": _any, "scope_name": _any},
}
"""The columns that may be assigned. Others follow from these, from attributes, or from one another."""


def _body_type(body: str) -> str:
    """A body that is no longer what its type says is a text."""
    return (
        f"case when ({body}) is null then null when ({body}) is not distinct from body then body_type "
        "when body_type in ('map', 'array') and "
        f"try(json_type({body})) = case body_type when 'map' then 'OBJECT' else 'ARRAY' end then body_type "
        "else 'string' end"
    )


@dataclass(frozen=True, slots=True)
class Assignment:
    """New values of a column or an attribute.

    Attributes:
        target: as configured.
        column: the stored column.
        key: the attribute, or None for the column itself.
        output: the values.
    """

    target: str
    column: str
    key: str | None
    output: Output

    @classmethod
    def read(cls, database: Database, table: str, target: str, text: str) -> list[Self]:
        """What a configured expression assigns.

        Raises:
            ValueError: the target cannot be assigned, or not this.
        """
        expression = database.check(table, text)
        attribute = _ATTRIBUTE.fullmatch(target)
        if attribute and attribute[1] in ATTRIBUTE_COLUMNS[table]:
            kind = expression.kind.partition("(")[0]
            if kind not in (*_NUMBERS, "VARCHAR", "BOOLEAN", "BLOB", _NULL):
                raise ValueError(f"an attribute is text, number, boolean or bytes, and this gives {kind}: cast it")
            return [cls(target, attribute[1], attribute[2].replace("''", "'"), Output(expression, f"({text}\n)"))]
        if target not in TARGETS[table]:
            raise ValueError(_unknown(table, target))
        value = f"({text}\n)::{_sql_type(table, target, expression)}"
        assigned = [cls(target, target, None, Output(expression, TARGETS[table][target](value)))]
        if target == "body":
            made = _body_type(value)
            assigned.append(cls(target, "body_type", None, Output(database.check(table, made), made)))
        return assigned

    @property
    def columns(self) -> frozenset[str]:
        """The columns that it reads and writes."""
        return self.output.expression.columns | {self.column}

    def takes(self, kind: pa.DataType) -> bool:
        """Whether values of this type can be assigned, which some expressions tell only with the batch."""
        return self.key is None or any(of_kind(kind) for of_kind in _ATTRIBUTE_KINDS)

    def apply(self, rows: pa.Table, result: Result) -> pa.Table:
        """The rows with the values that could be computed."""
        values = result.values
        if values is None:
            return rows
        computed = np.ones(rows.num_rows, bool) if result.computed is None else result.computed
        if self.key is None:
            kept = array_of(rows, self.column)
            values = values.cast(kept.type)
            return with_column(rows, self.column, pc.if_else(pa.array(computed), values, kept))
        attributes = EditedAttributes.of(rows, self.column)
        if self.key in (self.output.expression.keys.get(self.column) or ()):
            # The expression could not see a value of another type than the batch's: that stays as it is.
            computed &= ~attributes.holds_elsewhere(self.key)
        attributes.assign(self.key, _attribute_values(values), computed)
        if self.column == RESOURCE_ATTRIBUTES:
            return with_resource(rows, attributes, [self.key])
        return attributes.write(rows, self.column)


def _sql_type(table: str, column: str, expression: Expression) -> str:
    """The SQL type of a column, to which an expression's values can be cast without a surprise."""
    kind = COLUMNS[table].field(column).type
    wanted, fitting = {
        pa.string(): ("VARCHAR", ("VARCHAR",)),
        pa.int32(): ("INTEGER", _INTEGERS),
        pa.float64(): ("DOUBLE", _NUMBERS),
    }[kind]
    given = expression.kind.partition("(")[0]
    if given not in (*fitting, _NULL):
        raise ValueError(f"the column takes {wanted}, and this gives {given}: write CAST(... AS {wanted})")
    return wanted


def _attribute_values(values: pa.Array) -> pa.Array:
    """Values in one of the types that attributes have; integers beyond 64 bits are doubles."""
    kind = values.type
    if pa.types.is_null(kind):
        return values.cast(pa.string())
    if pa.types.is_integer(kind) or (pa.types.is_decimal(kind) and kind.scale == 0):
        try:
            return values.cast(pa.int64())
        except pa.ArrowInvalid:
            return values.cast(pa.float64(), safe=False)
    return values.cast(pa.float64()) if pa.types.is_floating(kind) or pa.types.is_decimal(kind) else values


def _unknown(table: str, target: str) -> str:
    names = sorted(TARGETS[table])
    near = difflib.get_close_matches(target, names, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"columns: {', '.join(names)}"
    return f"this cannot be assigned; {hint} Attributes are written attributes['KEY'], resource_attributes['KEY']"
